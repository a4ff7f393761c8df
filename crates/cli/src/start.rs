//! `stator dev` and `stator serve`: check, bind, open, say so, serve, drain.
//!
//! What must stay true: the address is bound and every file read before data is opened; the secret of a new root
//! credential is printed once; `listening on URL` is the last line, printed when requests are answered.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stator_engine::encoding::stored::Unreadable;
use stator_engine::index::LaggingStore;
use stator_engine::{Clock, Engine, EngineOptions, OpenError};
use stator_iam::root::{RootCredential, RootCredentialError};
use stator_iam::{Credential, Secret};
use stator_kv::{Rewind, Store};
use stator_model::limits::REQUEST_BYTES_MAX;
use stator_server::listen::{BindError, Tls, TlsError, raise_limit};
use stator_server::pipeline::Budget;
use stator_server::{Bound, Bulk, BulkThreads, Config, Gate, Hooks, Limits, SettableClock, Shell, SystemClock, jobs, observe};
use tokio::runtime::Runtime;

use crate::arguments::Mode;
use crate::failure::Failure;
use crate::output::Output;
use crate::{memory, signals, store};

/// Where `serve` and `check` look when `--data` is not given.
pub(crate) const DEFAULT_DIRECTORY: &str = "./stator-data";

/// Runs a server to its end.
pub(crate) fn start(mode: Mode, config: &Config, output: &mut Output) -> Result<(), Failure> {
    let directory = directory(mode, config);
    let given = given_credential(config)?;
    let tls = tls(config)?;
    check_exposure(config, tls.is_some())?;
    observe::init(config.log_format, config.log_level);
    raise_limit();
    let no_threads = |error| Failure::Failed(format!("no threads to run on: {error}"));
    let (runtime, bulk) = (Runtime::new().map_err(no_threads)?, BulkThreads::start().map_err(no_threads)?);
    let bound = {
        let _inside = runtime.enter();
        Bound::bind(config.listen, tls).map_err(|error| cannot_bind(&error))?
    };
    let credential = match (mode, &directory) {
        (Mode::Dev, _) | (Mode::Serve, None) => None,
        (Mode::Serve, Some(directory)) => Some(root_credential(directory, given)?),
    };
    let (rows, rewind) = match &directory {
        None => {
            let (rows, rewind) = store::in_memory();
            (rows, Some(rewind))
        }
        Some(directory) => (store::on_disk(directory, config.memory.map_or_else(memory::default_bytes, |size| size.0))?, None),
    };
    let gate = credential.as_ref().map_or(Gate::AnySignature, |root| Gate::of(root.credential.clone()));
    runtime.block_on(async {
        let options = EngineOptions {
            table_transition_ms: u64::try_from(config.table_transition.as_millis()).unwrap_or(u64::MAX),
            consistent_global_reads: config.consistent_global_reads,
            stream_shard_ms: u64::try_from(config.stream_shard_hours.0.as_millis()).unwrap_or(u64::MAX),
            ..EngineOptions::default()
        };
        let opened = match mode {
            Mode::Serve => Engine::open(rows, Arc::new(SystemClock), options).await.map(|engine| (engine, None)),
            Mode::Dev => open_for_tests(rows, rewind, options).await,
        };
        let (engine, hooks) = opened.map_err(|error| cannot_open(&error))?;
        // Whoever reads that it is ready may stop it at once.
        let stop = signals::stop().map_err(|error| Failure::Failed(format!("signals can not be received: {error}")))?;
        introduce(mode, config, directory.as_deref(), credential.as_ref(), &bound, output);
        let shell = shell(config, gate, engine, hooks, bulk.bulk());
        serve(shell, Limits::of(config), &bulk.bulk(), bound, stop).await;
        Ok(())
    })
}

/// An engine whose clock can be set and whose indexes can lag, and what tests may do to it.
async fn open_for_tests(
    rows: Arc<dyn Store>,
    rewind: Option<Arc<dyn Rewind>>,
    options: EngineOptions,
) -> Result<(Arc<Engine>, Option<Arc<Hooks>>), OpenError> {
    let clock = Arc::new(SettableClock::default());
    let indexes = Arc::new(LaggingStore::new(rows, Arc::clone(&clock) as Arc<dyn Clock>));
    let engine = Engine::open(Arc::clone(&indexes) as Arc<dyn Store>, Arc::clone(&clock) as Arc<dyn Clock>, options).await?;
    let hooks = Hooks::new(Arc::clone(&engine), clock, indexes, rewind);
    Ok((engine, Some(Arc::new(hooks))))
}

fn shell(config: &Config, gate: Gate, engine: Arc<Engine>, hooks: Option<Arc<Hooks>>, bulk: Bulk) -> Shell {
    Shell {
        engine,
        gate,
        find: stator_api::target::find,
        account: config.account.0.clone(),
        region: config.region.clone(),
        header_bytes_max: Limits::of(config).header_bytes_max,
        body_bytes_max: REQUEST_BYTES_MAX,
        body_timeout: config.body_timeout,
        slow_request: config.slow_request,
        budget: Budget::new(usize::try_from(config.request_memory.0).unwrap_or(usize::MAX), config.request_wait),
        hooks,
        bulk: Some(bulk),
    }
}

async fn serve(shell: Shell, limits: Limits, bulk: &Bulk, bound: Bound, stop: impl Future<Output = ()>) {
    let jobs = bulk.spawn(jobs::drive(Arc::clone(&shell.engine), Arc::clone(bulk.pace())));
    let have_all_finished = bound.run(Arc::new(shell), limits, stop).await;
    jobs.abort();
    if !have_all_finished {
        tracing::warn!("stopped with requests unanswered");
    }
}

fn directory(mode: Mode, config: &Config) -> Option<PathBuf> {
    match mode {
        Mode::Dev => config.data.clone(),
        Mode::Serve => Some(config.data.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DIRECTORY))),
    }
}

/// A credential from flags or the environment needs both of its halves.
fn given_credential(config: &Config) -> Result<Option<Credential>, Failure> {
    match (&config.access_key_id, &config.secret_access_key) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) if !id.is_empty() && !id.contains('/') && !secret.expose().is_empty() => {
            Ok(Some(Credential { access_key_id: id.clone(), secret: Secret::new(secret.expose().to_owned()) }))
        }
        (Some(_), Some(_)) => {
            Err(Failure::Usage("--access-key-id and --secret-access-key must not be empty, nor the id have a '/'".to_owned()))
        }
        _ => Err(Failure::Usage("--access-key-id and --secret-access-key go together: give both or neither".to_owned())),
    }
}

fn tls(config: &Config) -> Result<Option<Tls>, Failure> {
    match (&config.tls_cert, &config.tls_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Tls::load(certificate, key).map(Some).map_err(|error| {
            Failure::Usage(match error {
                TlsError::Pem(path, error) => format!("{}: {error}", path.display()),
                TlsError::NoCertificate(path) => format!("--tls-cert: {}: no certificate in it", path.display()),
                TlsError::Config(error) => format!("--tls-cert, --tls-key: {error}"),
            })
        }),
        _ => Err(Failure::Usage("--tls-cert and --tls-key go together: give both or neither".to_owned())),
    }
}

fn check_exposure(config: &Config, has_tls: bool) -> Result<(), Failure> {
    if has_tls || config.insecure_http || config.listen.ip().is_loopback() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "--listen: other machines can reach {}, and plain HTTP lets anyone on the way read the data; \
         give --tls-cert and --tls-key, or --insecure-http if that is what you want",
        config.listen
    )))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "there is no list of all kinds, and those left out need no hint")]
fn cannot_bind(error: &BindError) -> Failure {
    let hint = match error.error.kind() {
        std::io::ErrorKind::AddrInUse => "; another process listens there, --listen takes another port",
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need a privilege, --listen takes another one",
        _ => "",
    };
    Failure::Failed(format!("can not listen on {}: {}{hint}", error.address, error.error))
}

fn cannot_open(error: &OpenError) -> Failure {
    Failure::Failed(format!("the data can not be opened: {}", unreadable(error)))
}

/// What is wrong with rows that the engine has to understand before anything else.
pub(crate) fn unreadable(error: &OpenError) -> String {
    match error {
        OpenError::Store(error) => error.to_string(),
        OpenError::Row(table, Unreadable::Format(format)) => {
            format!("the definition of table {} is in format {format}, which this version does not know; use a newer one", table.0)
        }
        OpenError::Row(table, Unreadable::Empty | Unreadable::Malformed) => format!("the definition of table {} is damaged", table.0),
        OpenError::Definition(table, reason) => format!("the definition of table {} can not be understood: {}", table.0, reason.0),
        OpenError::Stream(stream) => format!("the definition of stream {} is damaged", stream.0),
        OpenError::Key(key) => format!("the catalog has a row with a key that none has: {key:02x?}"),
    }
}

/// The root credential and, when it lives in a file, which and whether it was made now.
struct Root {
    credential: Credential,
    file: Option<(PathBuf, bool)>,
}

fn root_credential(directory: &Path, given: Option<Credential>) -> Result<Root, Failure> {
    if let Some(credential) = given {
        return Ok(Root { credential, file: None });
    }
    store::make_directory(directory)?;
    let root = RootCredential::load_or_create(directory, &mut |bytes| SystemClock.random(bytes)).map_err(|error| {
        Failure::Failed(match error {
            RootCredentialError::Io(path, error) => format!("{}: {error}", path.display()),
            RootCredentialError::Malformed(path) => {
                format!("{}: this is not a root credential; move it away to have a new one made", path.display())
            }
            RootCredentialError::TooOpen(path, mode) => {
                format!("{}: mode {mode:o} lets others read the secret; run chmod 600 on it", path.display())
            }
        })
    })?;
    Ok(Root { credential: root.credential, file: Some((root.path, root.is_new)) })
}

/// Says what was started, where the data is, and how to use it.
fn introduce(mode: Mode, config: &Config, directory: Option<&Path>, root: Option<&Root>, bound: &Bound, output: &mut Output) {
    let name = if mode == Mode::Dev { "dev" } else { "serve" };
    output.line(&format!("stator {} {name}", env!("CARGO_PKG_VERSION")));
    match directory {
        None => output.line("data in memory: gone when this process ends; --data DIR keeps it"),
        Some(directory) => {
            let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
            output.line(&format!("data in {}", absolute.display()));
        }
    }
    let (id, secret) = match root {
        None => {
            output.line("any credentials are accepted; each region has its own tables");
            ("dev", Some("dev".to_owned()))
        }
        Some(Root { credential, file: None }) => (credential.access_key_id.as_str(), None),
        Some(Root { credential, file: Some((path, true)) }) => {
            output.line(&format!("root credential made and kept in {}; its secret is shown here once", path.display()));
            (credential.access_key_id.as_str(), Some(credential.secret.expose().to_owned()))
        }
        Some(Root { credential, file: Some((path, false)) }) => {
            output.line(&format!("root credential from {}", path.display()));
            (credential.access_key_id.as_str(), None)
        }
    };
    let secret = secret.map_or_else(String::new, |secret| format!(" AWS_SECRET_ACCESS_KEY={secret}"));
    let url = bound.url();
    output.line("to use it from the AWS CLI:");
    output.line(&format!("  export AWS_ACCESS_KEY_ID={id}{secret} AWS_DEFAULT_REGION={}", config.region));
    output.line(&format!("  aws dynamodb list-tables --endpoint-url {url}"));
    if mode == Mode::Dev {
        output.line(&format!("for tests (clock, faults, snapshots and more): curl {url}/_stator/"));
    }
    output.line(&format!("listening on {url}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &'static [(&'static str, &'static str)]) -> Config {
        Config::read(&|setting| pairs.iter().find(|(name, _)| *name == setting.name).map(|(_, value)| (*value).to_owned())).unwrap()
    }

    fn refusal(mode: Mode, pairs: &'static [(&'static str, &'static str)]) -> String {
        match start(mode, &config(pairs), &mut Output::into(std::io::sink())) {
            Err(Failure::Usage(text) | Failure::Failed(text)) => text,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn plain_http_is_not_shown_to_other_machines_by_accident() {
        assert!(refusal(Mode::Dev, &[("listen", "0.0.0.0:0")]).contains("--insecure-http"));
    }

    #[test]
    fn settings_that_go_together_are_asked_for_together() {
        assert!(refusal(Mode::Serve, &[("tls_cert", "cert.pem")]).contains("--tls-key"));
        assert!(refusal(Mode::Serve, &[("access_key_id", "AKID")]).contains("--secret-access-key"));
        assert!(refusal(Mode::Serve, &[("tls_cert", "missing.pem"), ("tls_key", "missing.pem")]).starts_with("missing.pem: "));
    }

    #[test]
    fn an_address_in_use_is_said_before_data_is_opened() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address: &'static str = taken.local_addr().unwrap().to_string().leak();
        let directory = tempfile::tempdir().unwrap();
        let data: &'static str = directory.path().join("data").to_string_lossy().into_owned().leak();
        let pairs: &'static [(&str, &str)] = vec![("listen", address), ("data", data)].leak();
        assert!(refusal(Mode::Serve, pairs).contains("another process listens there"));
        assert!(!Path::new(data).exists());
    }
}
