//! Where log lines go: standard error, as text or as one JSON object per line.
//!
//! What must stay true: standard output is kept for what the program was asked to print.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::config::{LogFormat, LogLevel};
use crate::guard;

/// Starts logging for the whole process. A second call changes nothing.
pub fn init(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // Libraries below may show parts of requests in their own lines, so they are heard only when they warn.
    let filter = Targets::new().with_default(LevelFilter::WARN.min(level)).with_target("stator", level);
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_target(false);
    guard::tell_of_panics();
    // Setting fails only where it is set already, which is as good.
    let _ = match format {
        LogFormat::Text => {
            let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
            tracing::subscriber::set_global_default(builder.with_ansi(is_terminal).finish().with(filter))
        }
        LogFormat::Json => tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish().with(filter)),
    };
}
