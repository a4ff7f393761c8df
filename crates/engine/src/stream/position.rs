//! Places in a stream's history, as numbers and as what an iterator holds.
//!
//! What must stay true: the order of sequence numbers is that of stamps, and every number in range is a place, so that the
//! end of a shard can be named although no record lies there.

use stator_kv::Stamp;
use stator_model::stream::StreamId;
use xxhash_rust::xxh3::xxh3_64;

use crate::keyspace::stream_shard::Lane;

/// Keeps every number at 21 digits, the least that the service model allows.
const FIRST: u128 = 100_000_000_000_000_000_000;
/// Above the number of writes of any commit.
const PLACES: u128 = 20_000;

/// The sequence number of a stamp, in decimal digits.
pub fn sequence_number(stamp: Stamp) -> u128 {
    FIRST + u128::from(stamp.version) * PLACES + u128::from(stamp.place)
}

/// The stamp of a sequence number; `None` for one that no stamp has.
pub fn stamp_of(sequence_number: &str) -> Option<Stamp> {
    let is_number = !sequence_number.is_empty() && sequence_number.bytes().all(|byte| byte.is_ascii_digit());
    let place = sequence_number.parse::<u128>().ok().filter(|_| is_number)?.checked_sub(FIRST)?;
    Some(Stamp { version: u64::try_from(place / PLACES).ok()?, place: u32::try_from(place % PLACES).ok()? })
}

/// Where a reader of a shard goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The stream.
    pub stream: StreamId,
    /// The lane.
    pub lane: Lane,
    /// The stamp that opened the shard.
    pub opened: Stamp,
    /// The first stamp not met yet.
    pub at: Stamp,
    /// When the iterator was made, in ms since the epoch.
    pub issued_at_ms: u64,
}

impl Position {
    const BYTES: usize = 8 + 2 + Stamp::BYTES + Stamp::BYTES + 8 + 8;

    /// As bytes, with a checksum at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Position::BYTES);
        bytes.extend_from_slice(&self.stream.0.to_be_bytes());
        bytes.extend_from_slice(&self.lane.to_be_bytes());
        bytes.extend_from_slice(&self.opened.to_bytes());
        bytes.extend_from_slice(&self.at.to_bytes());
        bytes.extend_from_slice(&self.issued_at_ms.to_be_bytes());
        let checksum = xxh3_64(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// The position of bytes; `None` if they are not one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let (body, checksum) = bytes.split_last_chunk::<8>().filter(|_| bytes.len() == Position::BYTES)?;
        if xxh3_64(body) != u64::from_be_bytes(*checksum) {
            return None;
        }
        let (stream, rest) = body.split_first_chunk::<8>()?;
        let (lane, rest) = rest.split_first_chunk::<2>()?;
        let (opened, rest) = rest.split_first_chunk::<{ Stamp::BYTES }>()?;
        let (at, issued) = rest.split_first_chunk::<{ Stamp::BYTES }>()?;
        Some(Position {
            stream: StreamId(u64::from_be_bytes(*stream)),
            lane: u16::from_be_bytes(*lane),
            opened: Stamp::from_bytes(*opened),
            at: Stamp::from_bytes(*at),
            issued_at_ms: u64::from_be_bytes(issued.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_as_stamps_and_come_back() {
        let stamps = [(0, 0), (0, 19_999), (1, 0), (1, 7), (u64::MAX / 20_000, 5)].map(|(version, place)| Stamp { version, place });
        let numbers = stamps.map(sequence_number);
        assert!(numbers.is_sorted());
        for (stamp, number) in stamps.into_iter().zip(numbers) {
            assert!((21..=40).contains(&number.to_string().len()));
            assert_eq!(stamp_of(&number.to_string()), Some(stamp));
        }
        for text in ["", "+100000000000000000001", "99", "x"] {
            assert_eq!(stamp_of(text), None, "{text}");
        }
    }

    #[test]
    fn positions_come_back_and_only_whole() {
        let at = Stamp { version: 9, place: 3 };
        let position = Position { stream: StreamId(4), lane: 2, opened: Stamp { version: 1, place: 0 }, at, issued_at_ms: 77 };
        let mut bytes = position.to_bytes();
        assert_eq!(Position::from_bytes(&bytes), Some(position));
        bytes[30] ^= 1;
        assert_eq!(Position::from_bytes(&bytes), None);
        assert_eq!(Position::from_bytes(&bytes[1..]), None);
    }
}
