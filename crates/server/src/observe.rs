//! Where log lines go: standard error, as text or as one JSON object per line.
//!
//! What must stay true: standard output is kept for what the program was asked to print.

use std::io;

use tracing::level_filters::LevelFilter;

use crate::config::{LogFormat, LogLevel};

/// Starts logging for the whole process. A second call changes nothing.
pub fn init(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_target(false);
    let subscriber: Box<dyn tracing::Subscriber + Send + Sync> = match format {
        LogFormat::Text => Box::new(builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    };
    // Fails only if one is set already, which is as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
