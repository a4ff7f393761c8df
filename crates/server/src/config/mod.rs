//! Every setting, declared once: name, type, default and explanation.
//!
//! The command line, the environment, the settings file, `stator config` and docs/reference/config.md are derived from
//! this table. What must stay true: a setting that is not here does not exist, and one that is here is honoured.

pub mod reference;
mod value;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use stator_iam::Secret;

pub use value::{AccountId, Hours, LogFormat, LogLevel, Size, Value};

/// A declared setting.
pub struct Setting {
    /// In snake case, as in the settings file; flags have dashes, the environment has `STATOR_` and upper case.
    pub name: &'static str,
    /// What stands for a value in help texts.
    pub kind: &'static str,
    /// What it does; the first paragraph is the short help.
    pub doc: &'static str,
    /// Whether a running server takes a new value without a restart.
    pub is_reloadable: bool,
    /// The default as text; empty when there is none.
    pub default: fn() -> String,
    /// Reads a value only to see whether it can be read.
    pub check: fn(&str) -> Result<(), String>,
}

/// A value that can not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The setting.
    pub name: &'static str,
    /// The value as given.
    pub value: String,
    /// What is accepted.
    pub reason: String,
}

impl Setting {
    /// The flag without its dashes in front: `idle-timeout`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The variable of the environment: `STATOR_IDLE_TIMEOUT`.
    pub fn variable(&self) -> String {
        format!("STATOR_{}", self.name.to_ascii_uppercase())
    }
}

macro_rules! settings {
    ($( $(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr; )*) => {
        /// The settings of a server, read and checked.
        #[derive(Debug, Clone)]
        pub struct Config {
            $( $(#[doc = $doc])+ pub $name: $type, )*
        }

        /// All settings, in the order in which a reader should meet them.
        pub static SETTINGS: &[Setting] = &[$(
            Setting {
                name: stringify!($name),
                kind: <$type as Value>::KIND,
                doc: concat!($($doc, "\n"),+),
                is_reloadable: false,
                default: || { let default: $type = $default; default.print() },
                check: |text| <$type as Value>::parse(text).map(drop),
            },
        )*];

        impl Config {
            /// Reads all settings; `given` answers the text of those that were given.
            ///
            /// # Errors
            /// The first value that can not be read.
            pub fn read(given: &dyn Fn(&Setting) -> Option<String>) -> Result<Config, SettingError> {
                let mut settings = SETTINGS.iter();
                Ok(Config {
                    $( $name: match settings.next().and_then(|setting| given(setting)) {
                        None => $default,
                        Some(value) => <$type as Value>::parse(&value)
                            .map_err(|reason| SettingError { name: stringify!($name), value, reason })?,
                    }, )*
                })
            }
        }
    };
}

settings! {
    /// Directory that holds the data.
    ///
    /// `stator serve` uses ./stator-data when it is not given; `stator dev` then keeps everything in memory.
    data: Option<PathBuf> = None;
    /// Address and port to listen on; port 0 takes a free one and prints it.
    listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8000));
    /// Allow plain HTTP on addresses that other machines can reach.
    ///
    /// Without TLS anyone on the way can read the data; signatures protect the secret key and the request only.
    insecure_http: bool = false;
    /// Certificate chain in PEM form; turns TLS on, together with the key.
    tls_cert: Option<PathBuf> = None;
    /// Private key of the certificate in PEM form.
    tls_key: Option<PathBuf> = None;
    /// Memory for the storage engine: caches and write buffers follow from it.
    ///
    /// A quarter of the machine, at most 4GiB, when it is not given.
    memory: Option<Size> = None;
    /// Account that all tables belong to, as it stands in their ARNs.
    account: AccountId = AccountId("000000000000".to_owned());
    /// Region that the health answer and the start-up lines name.
    ///
    /// A request works on the tables of the region that it is signed for, whatever this is.
    region: String = "us-east-1".to_owned();
    /// Access key id of the root credential, instead of the one kept with the data (`stator serve`).
    access_key_id: Option<String> = None;
    /// Secret of the root credential; better given by the environment than as a flag, which others can see.
    secret_access_key: Option<Secret> = None;
    /// How log lines are written to standard error.
    log_format: LogFormat = LogFormat::Text;
    /// Which log lines are written.
    log_level: LogLevel = LogLevel::Info;
    /// A request that takes longer is logged as slow; 0s logs none.
    slow_request: Duration = Duration::from_secs(1);
    /// Connections at one time; a further one takes the place of an idle one, or is answered with status 503.
    connections_max: u32 = 10_000;
    /// Memory for requests in flight: a third for bodies on their way, for requests being answered, for answers being sent.
    ///
    /// Each request counts its body and 16KiB. One that finds no room waits; see request_wait. A large answer does not.
    request_memory: Size = Size(128 << 20);
    /// A request that finds the server full waits so long for its turn; then it is answered with status 503.
    request_wait: Duration = Duration::from_secs(2);
    /// Headers of one request, all names and values together; more is status 431.
    header_size_max: Size = Size(32 << 10);
    /// A connection that completes no request for so long is closed, however slowly it sends one.
    idle_timeout: Duration = Duration::from_secs(120);
    /// A request's body must arrive within this time; a later one is answered with status 408.
    body_timeout: Duration = Duration::from_secs(30);
    /// After SIGTERM or SIGINT, requests in flight have so long to finish.
    drain_timeout: Duration = Duration::from_secs(10);
    /// How long a table shows CREATING, UPDATING or DELETING; 0s takes effect at once.
    table_transition: Duration = Duration::ZERO;
    /// Answer consistent reads of global secondary indexes, which the real service refuses.
    consistent_global_reads: bool = false;
    /// Hours until a shard of a stream closes and its children open; fractions let tests see it happen.
    stream_shard_hours: Hours = Hours(Duration::from_secs(4 * 60 * 60));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_reads_back_as_itself() {
        for setting in SETTINGS {
            let default = (setting.default)();
            assert!(default.is_empty() || (setting.check)(&default).is_ok(), "{}: {default}", setting.name);
        }
    }

    #[test]
    fn a_given_value_wins_and_a_bad_one_is_named() {
        let given = |name: &'static str, value: &'static str| {
            Config::read(&move |setting: &Setting| (setting.name == name).then(|| value.to_owned()))
        };
        assert_eq!(given("listen", "[::1]:9000").unwrap().listen.port(), 9000);
        let error = given("idle_timeout", "soon").unwrap_err();
        assert_eq!((error.name, error.value.as_str()), ("idle_timeout", "soon"));
    }

    #[test]
    fn the_secret_is_never_printed() {
        let config = Config::read(&|setting: &Setting| (setting.name == "secret_access_key").then(|| "hunter2".to_owned())).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!reference::sample().contains("hunter2"));
    }
}
