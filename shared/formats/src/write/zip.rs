//! ZIP archives, written piece by piece. What is under way is a value that can be kept
//! and gone on with: each piece is packed by itself.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

/// Sizes follow the content (bit 3), names are UTF-8 (bit 11).
const FLAGS: u16 = 0x0808;
const DEFLATED: u16 = 8;
/// What a reader must know: 2.0.
const NEEDED: u16 = 20;
/// The first day there is: the same content makes the same archive.
const DAY: u16 = 0x0021;
/// An empty block that says it is the last one.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// A file in an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: String,
    at: u64,
    crc: u32,
    packed: u64,
    size: u64,
}

/// An archive under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zip {
    written: u64,
    entries: Vec<Entry>,
    is_open: bool,
}

fn u16s(out: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Numbers of four bytes: without the later extension, all an archive has.
fn u32s(out: &mut Vec<u8>, numbers: &[u64]) -> io::Result<()> {
    for number in numbers {
        let number = u32::try_from(*number)
            .map_err(|_| io::Error::other("an archive of more than 4 GiB"))?;
        out.extend_from_slice(&number.to_le_bytes());
    }
    Ok(())
}

fn length(text: &str) -> io::Result<u16> {
    u16::try_from(text.len()).map_err(|_| io::Error::other("a name is too long for an archive"))
}

/// Packed up to a boundary of bytes, without an end.
fn packed(bytes: &[u8], how: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), how);
    encoder.write_all(bytes)?;
    encoder.flush()?;
    Ok(std::mem::take(encoder.get_mut()))
}

impl Zip {
    fn wrote(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
    }

    /// Begins a file, and ends the one before it.
    ///
    /// # Errors
    /// The archive has more than 4 GiB, or the name 64 KiB.
    pub fn begin(&mut self, name: &str, out: &mut Vec<u8>) -> io::Result<()> {
        self.end(out)?;
        let mut head = Vec::new();
        // Told here, and not when all of it has been written.
        u32s(&mut Vec::new(), &[self.written])?;
        u32s(&mut head, &[0x0403_4b50])?;
        u16s(&mut head, &[NEEDED, FLAGS, DEFLATED, 0, DAY]);
        u32s(&mut head, &[0, 0, 0])?;
        u16s(&mut head, &[length(name)?, 0]);
        head.extend_from_slice(name.as_bytes());
        self.entries.push(Entry {
            name: name.to_owned(),
            at: self.written,
            ..Entry::default()
        });
        self.is_open = true;
        self.wrote(out, &head);
        Ok(())
    }

    /// Adds to the file that was begun last.
    ///
    /// # Errors
    /// No file was begun.
    pub fn add(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.add_packed(bytes, Compression::fast(), out)
    }

    /// The same as it is: recordings get hardly smaller, and are many.
    ///
    /// # Errors
    /// As [`Zip::add`].
    pub fn add_as_it_is(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.add_packed(bytes, Compression::none(), out)
    }

    fn add_packed(&mut self, bytes: &[u8], how: Compression, out: &mut Vec<u8>) -> io::Result<()> {
        let packed = packed(bytes, how)?;
        let entry = self.entries.last_mut().filter(|_| self.is_open);
        let entry = entry.ok_or_else(|| io::Error::other("no file was begun"))?;
        let mut crc = crc32fast::Hasher::new_with_initial(entry.crc);
        crc.update(bytes);
        entry.crc = crc.finalize();
        entry.size += bytes.len() as u64;
        entry.packed += packed.len() as u64;
        self.wrote(out, &packed);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        let mut tail = LAST_BLOCK.to_vec();
        if let Some(entry) = self.entries.last_mut() {
            entry.packed += LAST_BLOCK.len() as u64;
            u32s(
                &mut tail,
                &[0x0807_4b50, entry.crc.into(), entry.packed, entry.size],
            )?;
        }
        self.wrote(out, &tail);
        Ok(())
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// The archive has more than 4 GiB, or 65,535 files.
    pub fn finish(mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.end(out)?;
        let mut list = Vec::new();
        for entry in &self.entries {
            u32s(&mut list, &[0x0201_4b50])?;
            u16s(&mut list, &[NEEDED, NEEDED, FLAGS, DEFLATED, 0, DAY]);
            u32s(&mut list, &[entry.crc.into(), entry.packed, entry.size])?;
            u16s(&mut list, &[length(&entry.name)?, 0, 0, 0, 0]);
            u32s(&mut list, &[0, entry.at])?;
            list.extend_from_slice(entry.name.as_bytes());
        }
        let count = u16::try_from(self.entries.len())
            .map_err(|_| io::Error::other("too many files for an archive"))?;
        let length = list.len() as u64;
        u32s(&mut list, &[0x0605_4b50])?;
        u16s(&mut list, &[0, 0, count, count]);
        u32s(&mut list, &[length, self.written])?;
        u16s(&mut list, &[0]);
        out.extend_from_slice(&list);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    fn number(bytes: &[u8], at: usize, len: usize) -> usize {
        let bytes = bytes[at..at + len].iter().rev();
        bytes.fold(0, |all, byte| all << 8 | usize::from(*byte))
    }

    /// Names and contents by the list at the end, as readers do.
    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        let end = bytes.len() - 22;
        assert_eq!(number(bytes, end, 4), 0x0605_4b50);
        let mut at = number(bytes, end + 16, 4);
        let mut found = Vec::new();
        for _ in 0..number(bytes, end + 10, 2) {
            let [crc, packed, size] = [16, 20, 24].map(|place| number(bytes, at + place, 4));
            let name_len = number(bytes, at + 28, 2);
            let name = String::from_utf8(bytes[at + 46..at + 46 + name_len].to_vec()).unwrap();
            let head = number(bytes, at + 42, 4);
            assert_eq!(number(bytes, head, 4), 0x0403_4b50);
            let content = head + 30 + name_len;
            let mut text = String::new();
            DeflateDecoder::new(&bytes[content..content + packed])
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text.len(), size);
            assert_eq!(crc32fast::hash(text.as_bytes()) as usize, crc);
            let told: Vec<usize> = [0, 4, 8, 12]
                .map(|place| number(bytes, content + packed + place, 4))
                .into();
            assert_eq!(told, [0x0807_4b50, crc, packed, size]);
            found.push((name, text));
            at += 46 + name_len;
        }
        assert_eq!(at, end);
        found
    }

    #[test]
    fn an_archive_is_gone_on_with_and_read_back() {
        let mut out = Vec::new();
        let mut zip = Zip::default();
        assert!(zip.add(b"x", &mut Vec::new()).is_err());
        zip.begin("ref.trn", &mut out).unwrap();
        zip.add("एक दो\n".as_bytes(), &mut out).unwrap();
        let kept = serde_json::to_string(&zip).unwrap();
        let mut zip: Zip = serde_json::from_str(&kept).unwrap();
        let long = "तीन चार\n".repeat(20_000);
        zip.add(long.as_bytes(), &mut out).unwrap();
        zip.begin("hyp.é.trn", &mut out).unwrap();
        zip.begin("empty", &mut out).unwrap();
        zip.add(b"", &mut out).unwrap();
        zip.begin("as it is", &mut out).unwrap();
        zip.add_as_it_is(b"ab", &mut out).unwrap();
        zip.add_as_it_is(&[b'c'; 70_000], &mut out).unwrap();
        zip.finish(&mut out).unwrap();
        assert!(out.len() < 70_000 + long.len() / 10);
        let wanted = [
            ("ref.trn", format!("एक दो\n{long}")),
            ("hyp.é.trn", String::new()),
            ("empty", String::new()),
            ("as it is", format!("ab{}", "c".repeat(70_000))),
        ];
        assert_eq!(
            read(&out),
            wanted.map(|(name, text)| (name.to_owned(), text))
        );
        let mut none = Vec::new();
        Zip::default().finish(&mut none).unwrap();
        assert_eq!(read(&none), []);
    }
}
