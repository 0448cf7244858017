//! Compression. Its tables are large, and clearing them costs less than making them: they
//! are kept from one answer to the next.

use std::sync::Mutex;

use flate2::{Compress, CompressError, Compression, Crc, FlushCompress, Status};

/// Effort: pages are repetitive, and more costs time for little.
const LEVEL: u32 = 2;
/// What a gzip file begins with: deflate, no name, no time, no system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Bytes that are asked for where the room was too little.
const MORE: usize = 4 * 1024;

/// The tables that nothing is compressed with now.
static SPARE: Mutex<Option<Compress>> = Mutex::new(None);

/// Bytes, compressed as gzip does.
///
/// # Errors
/// When that can't be done.
pub(super) fn packed(bytes: &[u8]) -> Result<Vec<u8>, CompressError> {
    let spare = SPARE.lock().ok().and_then(|mut spare| spare.take());
    let mut deflate =
        spare.unwrap_or_else(|| Compress::new(Compression::new(LEVEL), /* zlib */ false));
    let mut out = Vec::with_capacity(bytes.len() / 3 + MORE);
    out.extend_from_slice(&HEAD);
    loop {
        let read = usize::try_from(deflate.total_in()).unwrap_or(bytes.len());
        let rest = bytes.get(read..).unwrap_or_default();
        match deflate.compress_vec(rest, &mut out, FlushCompress::Finish)? {
            Status::StreamEnd => break,
            Status::Ok | Status::BufError => out.reserve(MORE),
        }
    }
    let mut sum = Crc::new();
    sum.update(bytes);
    out.extend_from_slice(&sum.sum().to_le_bytes());
    out.extend_from_slice(&sum.amount().to_le_bytes());
    deflate.reset();
    if let Ok(mut spare) = SPARE.lock() {
        *spare = Some(deflate);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again_and_nothing_of_it_is_in_the_next() {
        // Little, nothing, and more than can be made smaller.
        let mut state = 1u32;
        let noise: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let page = "<p>one two three</p>".repeat(3_000);
        for bytes in [page.as_bytes(), b"", &noise, b"x", page.as_bytes()] {
            let packed = packed(bytes).unwrap();
            let mut found = Vec::new();
            GzDecoder::new(&*packed).read_to_end(&mut found).unwrap();
            assert_eq!(found, bytes);
        }
        let once = packed(page.as_bytes()).unwrap();
        assert_eq!(once, packed(page.as_bytes()).unwrap());
        assert!(once.len() < page.len() / 20);
    }
}
