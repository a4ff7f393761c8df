//! How many files and connections the process may have open: as many as the system lets it.
//!
//! What must stay true: a limit that cannot be raised ends nothing, because connections beyond it are refused in good order.

/// Raises the limit to what the system allows.
pub fn raise_limit() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        if limit.current == limit.maximum {
            return;
        }
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
}
