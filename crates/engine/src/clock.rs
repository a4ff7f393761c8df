//! Time and randomness as inputs, so that tests decide both.
//!
//! What must stay true: the engine learns of neither in any other way.

/// Where the engine gets time and randomness.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Fills a buffer with random bytes.
    fn random(&self, buffer: &mut [u8]);

    /// A random UUID, version 4, in its usual form.
    fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.random(&mut bytes);
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        let number = u128::from_be_bytes(bytes);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            number >> 96,
            (number >> 80) & 0xFFFF,
            (number >> 64) & 0xFFFF,
            (number >> 48) & 0xFFFF,
            number & 0xFFFF_FFFF_FFFF
        )
    }
}
