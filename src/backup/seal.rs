//! The checksum of a backup.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// The header of the checksum frame: a skippable frame (RFC 8878, 3.1.2) of 32 bytes.
const SEAL_HEAD: [u8; 8] = [0x50, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
/// The size of the checksum frame, in bytes.
pub const SEAL: u64 = 8 + 32;

/// A reader or writer that hashes all bytes that pass through.
pub struct Hashing<T> {
    pub inner: T,
    digest: Sha256,
}

impl<T> Hashing<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new() }
    }

    /// Returns the frame with the checksum of all bytes so far.
    pub fn seal(&self) -> Vec<u8> {
        [&SEAL_HEAD[..], &self.digest.clone().finalize()].concat()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
