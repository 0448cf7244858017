//! A writer of ZIP archives for tests: what real tools write, and what none should.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::Write;

/// A file as it is packed, with what is claimed of it.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Bytes of its name.
    pub name: Vec<u8>,
    /// What it holds.
    pub content: Vec<u8>,
    /// Packed by this method: 0, 8, or one that is not read.
    pub method: u16,
    /// General flags.
    pub flags: u16,
    /// Attributes of its system, in the upper half the mode of Unix.
    pub attributes: u32,
    /// The length that the directory claims, if not the true one.
    pub claimed: Option<u32>,
    /// Whether its numbers stand in the extra field of large files.
    pub is_large: bool,
}

/// A file, deflated.
pub fn packed(name: impl Into<Vec<u8>>, content: impl Into<Vec<u8>>) -> Packed {
    Packed {
        name: name.into(),
        content: content.into(),
        method: 8,
        flags: 0,
        attributes: 0,
        claimed: None,
        is_large: false,
    }
}

/// An archive of these files.
pub fn archive(files: &[Packed]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let header = out.len() as u32;
        let bytes = match file.method {
            8 => {
                let mut packer =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(&file.content).unwrap();
                packer.finish().unwrap()
            }
            _ => file.content.clone(),
        };
        let crc = crc32fast::hash(&file.content);
        let size = file.claimed.unwrap_or(file.content.len() as u32);
        let (short, long) = if file.is_large {
            (u32::MAX, bytes.len() as u32)
        } else {
            (size, bytes.len() as u32)
        };
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(file.flags.to_le_bytes());
        out.extend(file.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(crc.to_le_bytes());
        out.extend(long.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend((file.name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
        out.extend(&file.name);
        out.extend(&bytes);

        let mut extra = Vec::new();
        if file.is_large {
            extra.extend(b"\x01\0\x18\0");
            extra.extend(u64::from(size).to_le_bytes());
            extra.extend((bytes.len() as u64).to_le_bytes());
            extra.extend(u64::from(header).to_le_bytes());
        }
        // Made by Unix, so that its mode counts.
        directory.extend(b"PK\x01\x02\x14\x03\x14\0");
        directory.extend(file.flags.to_le_bytes());
        directory.extend(file.method.to_le_bytes());
        directory.extend([0; 4]);
        directory.extend(crc.to_le_bytes());
        directory.extend(if file.is_large { short } else { long }.to_le_bytes());
        directory.extend(short.to_le_bytes());
        directory.extend((file.name.len() as u16).to_le_bytes());
        directory.extend((extra.len() as u16).to_le_bytes());
        directory.extend([0; 6]);
        directory.extend(file.attributes.to_le_bytes());
        directory.extend(if file.is_large { u32::MAX } else { header }.to_le_bytes());
        directory.extend(&file.name);
        directory.extend(&extra);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}
