//! The one credential that a new server has: made on first start, kept beside the data, loaded on later starts.
//!
//! What must stay true: the file is readable by its owner alone, it appears whole or not at all, and the secret is
//! handed out for printing only by the call that made it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::secret::Secret;

/// Name of the file inside the data directory.
pub const FILE_NAME: &str = "root-credential";

const ACCESS_KEY_ID_LABEL: &str = "access-key-id";
const SECRET_LABEL: &str = "secret-access-key";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An access key id with its secret.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Public; 20 characters when made here.
    pub access_key_id: String,
    /// Signs requests; 40 characters when made here.
    pub secret: Secret,
}

impl Credential {
    /// Makes a new credential from random bytes.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> Credential {
        let mut bytes = [0u8; 16 + 40];
        random(&mut bytes);
        let (id, secret) = bytes.split_at(16);
        let access_key_id = "AKIA".chars().chain(id.iter().map(|byte| char::from(BASE32[usize::from(byte & 31)]))).collect();
        let secret = secret.iter().map(|byte| char::from(BASE64[usize::from(byte & 63)])).collect();
        Credential { access_key_id, secret: Secret::new(secret) }
    }
}

/// The root credential and where it came from.
#[derive(Debug, Clone)]
pub struct RootCredential {
    /// The credential.
    pub credential: Credential,
    /// The file that holds it.
    pub path: PathBuf,
    /// Whether this call made it; then, and only then, the secret may be printed.
    pub is_new: bool,
}

/// Why there is no root credential.
#[derive(Debug)]
pub enum RootCredentialError {
    /// The file can not be read or written.
    Io(PathBuf, io::Error),
    /// The file is not what we write.
    Malformed(PathBuf),
    /// Others than the owner may read the file; the mode is given.
    TooOpen(PathBuf, u32),
}

impl RootCredential {
    /// Loads the credential of a data directory, which is there, or makes one in it.
    ///
    /// # Errors
    /// When the directory or the file can not be used; see [`RootCredentialError`].
    pub fn load_or_create(directory: &Path, random: &mut dyn FnMut(&mut [u8])) -> Result<RootCredential, RootCredentialError> {
        let path = directory.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => {
                refuse_open_file(&path)?;
                let credential = parse(&text).ok_or_else(|| RootCredentialError::Malformed(path.clone()))?;
                Ok(RootCredential { credential, path, is_new: false })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let credential = Credential::generate(random);
                store(directory, &path, &credential).map_err(|error| RootCredentialError::Io(path.clone(), error))?;
                Ok(RootCredential { credential, path, is_new: true })
            }
            Err(error) => Err(RootCredentialError::Io(path, error)),
        }
    }
}

fn parse(text: &str) -> Option<Credential> {
    let value = |label: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(' '))?;
        Some(line.trim().to_owned()).filter(|value| !value.is_empty())
    };
    Some(Credential { access_key_id: value(ACCESS_KEY_ID_LABEL)?, secret: Secret::new(value(SECRET_LABEL)?) })
}

/// Written aside and renamed, so that a crash leaves either no file or the whole one.
fn store(directory: &Path, path: &Path, credential: &Credential) -> io::Result<()> {
    let aside = path.with_extension("new");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = owner_only(OpenOptions::new().write(true).create_new(true)).open(&aside)?;
    writeln!(file, "{ACCESS_KEY_ID_LABEL} {}", credential.access_key_id)?;
    writeln!(file, "{SECRET_LABEL} {}", credential.secret.expose())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn refuse_open_file(path: &Path) -> Result<(), RootCredentialError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(|error| RootCredentialError::Io(path.to_owned(), error))?;
    let mode = metadata.permissions().mode() & 0o777;
    #[expect(clippy::verbose_bit_mask, reason = "permissions are read as masks")]
    let is_private = mode & 0o077 == 0;
    if is_private { Ok(()) } else { Err(RootCredentialError::TooOpen(path.to_owned(), mode)) }
}

#[cfg(not(unix))]
fn refuse_open_file(_: &Path) -> Result<(), RootCredentialError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0u8;
        move |bytes: &mut [u8]| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
        }
    }

    #[test]
    fn the_first_start_makes_a_credential_and_the_second_finds_it() {
        let directory = tempfile::tempdir().unwrap();
        let made = RootCredential::load_or_create(directory.path(), &mut counting()).unwrap();
        assert!(made.is_new);
        assert_eq!(made.credential.access_key_id.len(), 20);
        assert_eq!(made.credential.secret.expose().len(), 40);
        let found = RootCredential::load_or_create(directory.path(), &mut |_| unreachable!()).unwrap();
        assert!(!found.is_new);
        assert_eq!(found.credential.access_key_id, made.credential.access_key_id);
        assert_eq!(found.credential.secret.expose(), made.credential.secret.expose());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let made = RootCredential::load_or_create(directory.path(), &mut counting()).unwrap();
        assert_eq!(fs::metadata(&made.path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&made.path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = RootCredential::load_or_create(directory.path(), &mut counting());
        assert!(matches!(refused, Err(RootCredentialError::TooOpen(_, 0o644))));
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        let mut file = owner_only(OpenOptions::new().write(true).create_new(true)).open(&path).unwrap();
        file.write_all(b"something else\n").unwrap();
        let refused = RootCredential::load_or_create(directory.path(), &mut counting());
        assert!(matches!(refused, Err(RootCredentialError::Malformed(_))));
        assert_eq!(fs::read(&path).unwrap(), b"something else\n");
    }
}
