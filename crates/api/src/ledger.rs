//! What one request consumed, table by table, for whoever keeps account of requests.
//!
//! What must stay true: operations note what they tell in ConsumedCapacity, whether the request asks to be told or not; a
//! request that nobody keeps account of has no ledger, and noting costs nothing then.

use std::sync::{Mutex, PoisonError};

use stator_engine::receipt::Receipt;

/// Receipts of one request.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Vec<(String, Receipt)>>);

impl Ledger {
    /// Adds a receipt of a table, named as the request names it.
    pub fn note(&self, table: &str, receipt: &Receipt) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match tables.iter_mut().find(|(known, _)| known == table) {
            Some((_, sum)) => sum.merge(receipt.clone()),
            None => tables.push((table.to_owned(), receipt.clone())),
        }
    }

    /// The receipts so far, one per table, in the order in which the tables came.
    pub fn receipts(&self) -> Vec<(String, Receipt)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
