//! Leaves a server with data that stays as it is: nothing that is due, and writes that only the log of writes has.
//!
//! What must stay true: afterwards nothing changes by itself, so that what is shown once can be compared with later.

use serde_json::json;
use stator_driver::client::Client;

use super::item::{self, INDEXED};
use super::tables::call;
use super::verify::scan;
use crate::verdict::Violation;

/// Owns what is written last.
const OWNER: u64 = 4000;
/// Writes of the last owner; some of them are large enough for a file of blobs once the log is replayed.
const WRITES: u64 = 260;

/// Removes what is due, and writes some more.
pub(crate) fn settle(client: &mut Client) -> Result<(), Violation> {
    for ((owner, place), number) in scan(client, INDEXED)? {
        if item::is_due(place, number) {
            call(client, "DeleteItem", &json!({"TableName": INDEXED, "Key": item::key(owner, place)}))?;
        }
    }
    for number in 1..=WRITES {
        let place = number % item::INDEXED_PLACES;
        call(client, "PutItem", &json!({"TableName": INDEXED, "Item": item::whole(OWNER, place, number)}))?;
    }
    Ok(())
}
