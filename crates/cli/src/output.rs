//! Standard output: what a person or a script asked to be told. Logs go elsewhere.
//!
//! What must stay true: each call is written out at once, because someone may be waiting for the line; a closed output
//! does not stop a server.

use std::io::Write;

/// Where answers are printed.
pub(crate) struct Output {
    to: Box<dyn Write>,
}

impl Output {
    pub(crate) fn stdout() -> Output {
        Output { to: Box::new(std::io::stdout()) }
    }

    #[cfg(test)]
    pub(crate) fn into(to: impl Write + 'static) -> Output {
        Output { to: Box::new(to) }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    pub(crate) fn text(&mut self, text: &str) {
        let _ = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
    }
}
