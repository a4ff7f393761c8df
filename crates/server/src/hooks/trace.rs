//! What is learnt of one request while it is answered.
//!
//! What must stay true: a request that fails at any stage leaves what was known until then.

use std::sync::{Arc, OnceLock};

use stator_api::Ledger;
use stator_api::touch::{Touched, touched};

/// Bodies up to this size are kept.
const BODY_BYTES_MAX: usize = 16 << 10;

/// One request.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(super) began_at_ms: u64,
    /// Receipts of the operation.
    pub(crate) ledger: Arc<Ledger>,
    asked: OnceLock<Asked>,
    pub(super) region: OnceLock<String>,
    pub(super) fault: OnceLock<String>,
}

/// What it asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: &'static str,
    /// Worked out when somebody asks.
    touched: OnceLock<Touched>,
    pub(super) body_bytes: usize,
    /// Absent if it was too large to keep.
    pub(super) body: Option<Box<[u8]>>,
}

impl Trace {
    pub(super) fn begin(now_ms: u64) -> Trace {
        Trace { began_at_ms: now_ms, ledger: Arc::default(), asked: OnceLock::new(), region: OnceLock::new(), fault: OnceLock::new() }
    }

    /// Notes the operation and the body.
    pub(crate) fn asks(&self, operation: &'static str, body: &[u8]) {
        let kept = (body.len() <= BODY_BYTES_MAX).then(|| body.into());
        let known = if kept.is_some() { OnceLock::new() } else { OnceLock::from(touched(body)) };
        // A request asks once.
        let _ = self.asked.set(Asked { operation, touched: known, body_bytes: body.len(), body: kept });
    }

    /// Notes the region whose tables are meant.
    pub(crate) fn is_for(&self, region: &str) {
        let _ = self.region.set(region.to_owned());
    }

    pub(super) fn asked(&self) -> Option<&Asked> {
        self.asked.get()
    }
}

impl Asked {
    /// What it is about.
    pub(super) fn touched(&self) -> &Touched {
        self.touched.get_or_init(|| touched(self.body.as_deref().unwrap_or_default()))
    }
}
