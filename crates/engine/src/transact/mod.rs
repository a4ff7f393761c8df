//! Transactions: many intents, one commit; many reads, one snapshot.
//!
//! ```text
//!   intents ── check each ── hold the items ──┐
//!                                             ▼   one storage transaction over all of them
//!             token row ──► seen before? ──► decide each ──► all hold? ──► effects of all + token ──► commit
//!                              │                               │
//!                       first outcome again              reasons in request order
//! ```
//!
//! Every intent goes through `write::decide`, so indexes, counters and whatever else follows from a write follow here too.
//! What must stay true: everything is decided on rows read in the same storage transaction that writes, the token's row
//! included; so a token is stored exactly when its transaction took effect.

#![deny(clippy::wildcard_enum_match_arm)]

mod hold;

use std::sync::Arc;

use futures_util::future::try_join_all;
pub(crate) use hold::Holds;
use stator_kv::{CommitError, Decision, Found, Key, Level, StoreError, Write};
use stator_model::Item;
use stator_model::arn::Scope;
use stator_model::limits::{TRANSACTION_BYTES_MAX, TRANSACTION_TOKEN_MS};
use xxhash_rust::xxh3::xxh3_128;

use crate::Engine;
use crate::capacity::{Consistency, HalfUnits};
use crate::catalog::Table;
use crate::encoding::stored;
use crate::keyspace::{self, transaction_token};
use crate::receipt::Receipt;
use crate::write::effects::merged;
use crate::write::room::Room;
use crate::write::{Intent, KeyError, Verdict, WriteError, Written, decide, row_key};

/// How often a transaction's items are touched, and charged: once to prepare, once to commit.
const CHARGES: u64 = 2;

/// What makes a transaction happen once.
#[derive(Debug, Clone, Copy)]
pub struct Token<'t> {
    /// The caller's text.
    pub text: &'t str,
    /// Everything that the request asks for, in one form.
    pub request: &'t [u8],
}

/// A transaction that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transacted {
    /// Now; one receipt per intent.
    Written(Vec<Written>),
    /// Before, under the same token; what looking at the items again consumed, one receipt per intent.
    Repeated(Vec<Receipt>),
}

/// A transaction without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactError {
    /// At least one intent was refused; one entry per intent.
    Cancelled(Vec<Option<WriteError>>),
    /// Two intents are about one item.
    SameItem,
    /// The items weigh more than 4 MB together.
    TooLarge,
    /// The token was used for another request.
    TokenMismatch,
    /// The transaction of that token is under way.
    InProgress,
    /// A table was dropped meanwhile.
    TableGone,
    /// The store lost track: the transaction may or may not have happened.
    Unknown,
    /// The store failed.
    Store(StoreError),
}

/// Why nothing was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactGetError {
    /// Keys that are not ones of their tables; one entry per key.
    Cancelled(Vec<Option<KeyError>>),
    /// Two keys are one item's.
    SameItem,
    /// The items weigh more than 4 MB together.
    TooLarge,
    /// The store failed.
    Store(StoreError),
}

/// What one run of the decision came to.
enum Outcome {
    Written(Vec<Written>),
    Failed(TransactError),
    Repeated,
    NeedsRows(Vec<Key>),
}

/// A transaction as its decisions see it: the keys of all rows read are `token_keys`, then `item_keys`, then `rows`.
struct Attempt<'a> {
    intents: &'a [(Arc<Table>, Intent)],
    token: Option<(u128, u64)>,
    token_keys: Vec<Key>,
    item_keys: Vec<Key>,
    rooms: Vec<Room>,
    rows: Vec<Key>,
}

impl Engine {
    /// Carries out all intents, or none.
    pub async fn transact_write(
        &self,
        scope: &Scope,
        intents: &[(Arc<Table>, Intent)],
        token: Option<Token<'_>>,
    ) -> Result<Transacted, TransactError> {
        let item_keys = check_intents(intents)?;
        let now_ms = self.token_ms();
        let token_keys = token.map_or_else(Vec::new, |token| token_keys(scope, token.text, now_ms));
        let _token = self.holds.take(&token_keys).map_err(|_| TransactError::InProgress)?;
        let token = token.map(|token| (xxh3_128(token.request), now_ms));
        let rooms = intents.iter().zip(&item_keys).map(|((table, intent), key)| self.room(table, intent, key));
        let rooms = try_join_all(rooms).await.map_err(TransactError::Store)?;
        let mut attempt = Attempt { intents, token, token_keys, item_keys, rooms, rows: Vec::new() };
        let items = self.holds.take(&attempt.item_keys);
        loop {
            let outcome = match &items {
                Ok(_) => self.attempt(&attempt).await?,
                Err(taken) => self.meet(&attempt, taken).await?,
            };
            match outcome {
                Outcome::Written(written) => return Ok(Transacted::Written(written)),
                Outcome::Failed(error) => return Err(error),
                Outcome::Repeated => return self.repeated(&attempt).await.map(Transacted::Repeated).map_err(TransactError::Store),
                Outcome::NeedsRows(rows) => attempt.rows = rows,
            }
        }
    }

    /// Another transaction has some of the items. One that has happened under this token has happened all the same: told that
    /// it was cancelled, its caller would take it for undone.
    async fn meet(&self, attempt: &Attempt<'_>, taken: &[bool]) -> Result<Outcome, TransactError> {
        let found = match attempt.token {
            Some(_) => self.store.read(&attempt.token_keys, Level::Strong).await.map_err(TransactError::Store)?,
            None => Vec::new(),
        };
        Ok(attempt.check_token(&found).err().unwrap_or_else(|| Outcome::Failed(TransactError::Cancelled(held(taken)))))
    }

    /// Reads items of any tables in one snapshot, in the order of the keys.
    pub async fn transact_get(&self, keys: &[(Arc<Table>, Item)]) -> Result<Vec<(Option<Item>, Receipt)>, TransactGetError> {
        let rows = all_or_reasons(keys.iter().map(|(table, key)| row_key(table, key))).map_err(TransactGetError::Cancelled)?;
        if keyspace::has_twins(&rows) {
            return Err(TransactGetError::SameItem);
        }
        let found = self.store.read(&rows, Level::Strong).await.map_err(TransactGetError::Store)?;
        let items: Vec<Option<Item>> = found.into_iter().map(|row| row.map(|row| stored::item(&row.value))).collect();
        if items.iter().flatten().map(Item::size_bytes).sum::<usize>() > TRANSACTION_BYTES_MAX {
            return Err(TransactGetError::TooLarge);
        }
        let with_receipt = |item: Option<Item>| {
            let receipt = receipt_of_read(item.as_ref().map_or(0, Item::size_bytes));
            (item, receipt)
        };
        Ok(items.into_iter().map(with_receipt).collect())
    }

    async fn attempt(&self, attempt: &Attempt<'_>) -> Result<Outcome, TransactError> {
        let keys: Vec<Key> = attempt.token_keys.iter().chain(&attempt.item_keys).chain(&attempt.rows).cloned().collect();
        let mut outcome = None;
        let _writer = self.writers.enter();
        let committed = self
            .store
            .mutate(&keys, &mut |found| {
                let (decided, decision) = match self.decide_all(attempt, &keys, found) {
                    Ok((written, writes)) => (Outcome::Written(written), Decision::Commit(writes)),
                    Err(other) => (other, Decision::Abort),
                };
                outcome = Some(decided);
                decision
            })
            .await;
        committed.map_err(TransactError::from)?;
        Ok(outcome.expect("a store that answers has asked for a decision"))
    }

    fn decide_all(&self, attempt: &Attempt<'_>, keys: &[Key], found: &[Option<Found>]) -> Result<(Vec<Written>, Vec<Write>), Outcome> {
        attempt.check_token(found)?;
        let snapshot = self.snapshot.load();
        let moment = decide::Moment { snapshot: &snapshot, now_ms: self.now_ms() };
        let exists = |key: &Key| keys.iter().position(|known| known == key).map(|at| found[at].is_some());
        let (mut written, mut effects, mut reasons, mut needed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, (table, intent)) in attempt.intents.iter().enumerate() {
            let row = found[attempt.token_keys.len() + at].as_ref();
            let mut reason = None;
            match decide::decide(moment, table.id, intent, &attempt.item_keys[at], row, &exists) {
                Ok((_, its_effects)) if !its_effects.fit(&attempt.rooms[at]) => reason = Some(WriteError::CollectionTooLarge),
                Ok((one, its_effects)) => {
                    written.push(one);
                    effects.push(its_effects.writes);
                }
                Err(Verdict::Refuse(WriteError::TableGone)) => return Err(Outcome::Failed(TransactError::TableGone)),
                Err(Verdict::Refuse(error)) => reason = Some(error),
                Err(Verdict::NeedsRows(rows)) => needed.extend(rows),
                Err(Verdict::Write(_)) => unreachable!("a decision to write is no error"),
            }
            reasons.push(reason);
        }
        if reasons.iter().any(Option::is_some) {
            return Err(Outcome::Failed(TransactError::Cancelled(reasons)));
        }
        if !needed.is_empty() {
            return Err(Outcome::NeedsRows(needed));
        }
        if written.iter().filter_map(|one| one.new.as_ref()).map(Item::size_bytes).sum::<usize>() > TRANSACTION_BYTES_MAX {
            return Err(Outcome::Failed(TransactError::TooLarge));
        }
        for one in &mut written {
            one.receipt.multiply(CHARGES);
        }
        let mut writes = merged(effects);
        writes.extend(attempt.token_write());
        Ok((written, writes))
    }

    async fn repeated(&self, attempt: &Attempt<'_>) -> Result<Vec<Receipt>, StoreError> {
        let found = self.store.read(&attempt.item_keys, Level::Strong).await?;
        let size = |row: &Option<Found>| row.as_ref().map_or(0, |row| stored::map(&row.value).size_bytes());
        Ok(found.iter().map(|row| receipt_of_read(size(row))).collect())
    }

    /// Forgets the tokens of periods that have passed; bounded by the number of periods, not of tokens.
    pub(crate) async fn forget_tokens(&self) -> Result<(), StoreError> {
        let last = transaction_token::period(self.token_ms()).saturating_sub(1);
        let (from, to) = (transaction_token::period_prefix(0), transaction_token::period_prefix(last));
        self.store.delete_range(keyspace::SMALL, &from, &to).await
    }
}

impl From<CommitError> for TransactError {
    fn from(error: CommitError) -> TransactError {
        match error {
            CommitError::Store(error) => TransactError::Store(error),
            CommitError::Unknown(_) => TransactError::Unknown,
            CommitError::TooLarge(limit) => TransactError::Store(StoreError::Io(format!("a transaction is beyond the store's {limit}"))),
            CommitError::Conflict { .. } => {
                TransactError::Store(StoreError::Io("a transaction met a conflict that the store should have retried".into()))
            }
        }
    }
}

impl Attempt<'_> {
    fn check_token(&self, found: &[Option<Found>]) -> Result<(), Outcome> {
        let Some((fingerprint, now_ms)) = self.token else { return Ok(()) };
        let seen = found[..self.token_keys.len()].iter().flatten().filter_map(|row| transaction_token::decode(&row.value));
        match seen.filter(|(_, at_ms)| now_ms < at_ms.saturating_add(TRANSACTION_TOKEN_MS)).max_by_key(|(_, at_ms)| *at_ms) {
            None => Ok(()),
            Some((known, _)) if known == fingerprint => Err(Outcome::Repeated),
            Some(_) => Err(Outcome::Failed(TransactError::TokenMismatch)),
        }
    }

    fn token_write(&self) -> Option<Write> {
        let (fingerprint, now_ms) = self.token?;
        Some(Write::Put(self.token_keys.first()?.clone(), transaction_token::encode(fingerprint, now_ms).into()))
    }
}

/// The key of a token in the current period, and in the one before.
fn token_keys(scope: &Scope, token: &str, now_ms: u64) -> Vec<Key> {
    let period = transaction_token::period(now_ms);
    vec![transaction_token::key(scope, token, period), transaction_token::key(scope, token, period.saturating_sub(1))]
}

/// What can be refused without looking at items; the row keys of those that can not.
fn check_intents(intents: &[(Arc<Table>, Intent)]) -> Result<Vec<Key>, TransactError> {
    let checked = intents.iter().map(|(table, intent)| decide::check_intent(table, intent));
    let keys = all_or_reasons(checked).map_err(TransactError::Cancelled)?;
    if keyspace::has_twins(&keys) { Err(TransactError::SameItem) } else { Ok(keys) }
}

/// All keys, or for each member why it has none.
fn all_or_reasons<E>(checked: impl Iterator<Item = Result<Key, E>>) -> Result<Vec<Key>, Vec<Option<E>>> {
    let (mut keys, mut reasons) = (Vec::new(), Vec::new());
    for key in checked {
        match key {
            Ok(key) => {
                keys.push(key);
                reasons.push(None);
            }
            Err(error) => reasons.push(Some(error)),
        }
    }
    if keys.len() == reasons.len() { Ok(keys) } else { Err(reasons) }
}

fn held(taken: &[bool]) -> Vec<Option<WriteError>> {
    taken.iter().map(|is_taken| is_taken.then_some(WriteError::Held)).collect()
}

fn receipt_of_read(bytes: usize) -> Receipt {
    let mut receipt = Receipt::of_table(HalfUnits::of_read(bytes, Consistency::Strong));
    receipt.multiply(CHARGES);
    receipt
}
