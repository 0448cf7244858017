//! ZIP archives as people and hostile ones have them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/packed.rs"]
mod packed;

use std::io::Cursor;

use packed::{Packed, archive, packed};
use proptest::prelude::*;
use stt_eval_formats::archive::Archive;
use stt_eval_formats::{Code, Problem};

fn open(bytes: Vec<u8>) -> Result<Archive<Cursor<Vec<u8>>>, Problem> {
    Archive::open(Cursor::new(bytes))
}

/// Names and contents of everything in it.
fn all(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let mut archive = open(bytes)?;
    let names: Vec<String> = archive
        .entries()
        .iter()
        .map(|one| one.name.clone())
        .collect();
    let mut found = Vec::new();
    for name in names {
        let content = archive.read(&name, 1 << 20)?.unwrap();
        found.push((name, content));
    }
    Ok(found)
}

fn names(files: &[Packed]) -> Vec<String> {
    let found = all(archive(files)).unwrap().into_iter();
    found.map(|(name, _)| name).collect()
}

fn code(bytes: Vec<u8>) -> Code {
    all(bytes).unwrap_err().code
}

#[test]
fn archives_of_macs_windows_and_unix() {
    let of_mac = [
        packed("set/", ""),
        packed("set/stt.csv", "id,text\n"),
        packed("set/.DS_Store", "x"),
        packed("__MACOSX/set/._stt.csv", "x"),
        // Finder writes UTF-8 and does not say so.
        packed("set/audios/हाँ.wav", "x"),
    ];
    assert_eq!(names(&of_mac), ["set/audios/हाँ.wav", "set/stt.csv"]);
    // Windows of before: CP437, and its own separator.
    let of_windows = [packed(b"set\\caf\x82\\\x9a.wav".to_vec(), "x")];
    assert_eq!(names(&of_windows), ["set/café/Ü.wav"]);
    let mut link = packed("link", "/etc/passwd");
    link.attributes = 0o12_0777 << 16;
    let mut stored = packed("b", "stored");
    stored.method = 0;
    let mut large = packed("c", "large");
    large.is_large = true;
    assert_eq!(names(&[link, stored.clone(), large.clone()]), ["b", "c"]);
    // An archive behind something else, with a comment that ends like one.
    let mut behind = b"#!/bin/sh\n".to_vec();
    let mut own = archive(&[stored, large]);
    let end = own.len();
    own[end - 2] = 4;
    own.extend(b"note");
    behind.extend(own);
    assert_eq!(all(behind).unwrap()[1], ("c".to_owned(), b"large".to_vec()));
}

#[test]
fn what_must_not_be_unpacked_is_refused() {
    for name in ["../x", "/x", "a/../../x", "C:\\x", "..\\x"] {
        assert_eq!(
            code(archive(&[packed(name, "")])),
            Code::Malformed,
            "{name}"
        );
    }
    let twice = [packed("a", "1"), packed("a", "2")];
    assert_eq!(code(archive(&twice)), Code::Malformed);
    let mut encrypted = packed("a", "x");
    encrypted.flags = 1;
    assert_eq!(code(archive(&[encrypted])), Code::Unsupported);
    let mut of_windows = packed("a", "x");
    of_windows.method = 9;
    let told = all(archive(&[of_windows])).unwrap_err();
    assert!(told.message.contains("Deflate64"), "{told}");
    // Ten thousand times its size.
    let bomb: Vec<Packed> = (0..4)
        .map(|n| {
            let mut one = packed(format!("{n}"), vec![0; 1000]);
            one.claimed = Some(u32::MAX - 1);
            one
        })
        .collect();
    assert_eq!(code(archive(&bomb)), Code::TooLarge);
    // A directory that says less than there is, or something else.
    let mut short = packed("a", vec![0; 100_000]);
    short.claimed = Some(10);
    assert_eq!(code(archive(&[short])), Code::Malformed);
    let mut damaged = archive(&[packed("a", "some words")]);
    damaged[40] ^= 1;
    assert_eq!(code(damaged), Code::Malformed);
    let mut cut = archive(&[packed("a", "x")]);
    cut.truncate(cut.len() - 30);
    assert_eq!(code(cut), Code::Malformed);
    let mut opened = open(archive(&[packed("a", "words")])).unwrap();
    assert_eq!(opened.read("a", 2).unwrap_err().code, Code::TooLarge);
    assert_eq!(opened.read("b", 2), Ok(None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_comes_out(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5), stored: bool) {
        let files: Vec<Packed> = contents.iter().zip(0..).map(|(content, n): (_, u32)| {
            let mut one = packed(format!("f{n}/हाँ.bin"), content.clone());
            one.method = if stored { 0 } else { 8 };
            one
        }).collect();
        let found = all(archive(&files)).unwrap();
        let found: Vec<Vec<u8>> = found.into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(found, contents);
    }

    #[test]
    fn damage_is_told_and_nothing_else_happens(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
        let mut bytes = archive(&[packed("a/b.txt", "words and words"), packed("c", vec![7; 90])]);
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        if let Ok(found) = all(bytes) {
            prop_assert!(found.iter().all(|(name, _)| !name.contains("..")));
        }
    }

    #[test]
    fn any_bytes_are_no_archive_or_one(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut with_end = bytes.clone();
        with_end.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x30\0\0\0\x05\0\0\0\0\0");
        let _ = (all(bytes), all(with_end));
    }
}
