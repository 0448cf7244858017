//! Whatever bytes a file has, reading it takes bounded memory and bounded work.
//!
//! This is a binary of its own with one test that looks at memory, for the machine tells the
//! most that the whole process has had. Time is not asserted in seconds that a reader would like to
//! wait for: machines of tests are shared, and what they do beside is in no one's hand. What must
//! not be is work that grows with the square of a file, and that is seen without a clock to speak
//! of: these files are so large that it would take hours, and none may take longer than a
//! deadline that is a hundred times what it needs.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/packed.rs"]
mod packed;

use std::fmt::Write as _;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use packed::{archive, packed as deflated};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use stt_eval_formats::files::{InMemory, ReadError};
use stt_eval_formats::transcripts::{ReadOptions, Side, read};
use stt_eval_formats::{Files, Format, Options, Whole, judge, layouts};

/// What reading may take at most, with the file itself and this program.
const MOST_KIB: u64 = 256 * 1024;
/// Bytes of a file that is read as what it seems to be.
const LARGE: usize = 256 * 1024;
const MIB: usize = 1024 * 1024;
/// Bytes of one that is read as each format there is.
const SMALL: usize = 16 * 1024;
/// No single file takes longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// Names that lead to every reader.
const NAMES: [&str; 14] = [
    "wav.scp",
    "text",
    "metadata.csv",
    "m.tsv",
    "m.jsonl",
    "cuts.json",
    "a.json",
    "x.trans.txt",
    "a.txt",
    "a.srt",
    "a.vtt",
    "a.trn",
    "a.stm",
    "a.eaf",
];

/// What is repeated: pieces that readers look for, nested, unclosed and cut short.
const PIECES: [&str; 40] = [
    "a",
    "\n",
    "\r",
    " ",
    "\t",
    "\"",
    "\"\"",
    "\"a\n",
    ",",
    ",\n",
    "a,b\n",
    "|",
    "(",
    ")",
    "x (u1)\n",
    "(a) ",
    "{",
    "}",
    "{a|b}",
    "{ a / b } ",
    "[",
    "[{",
    "]",
    "\\",
    "\\u",
    "{\"text\":\"x\"}\n",
    "{\"text\":",
    "{\"results\":[",
    "1\n00:00:00,000 --> 00:00:01,000\nx\n\n",
    "-->",
    "WEBVTT\n",
    "<",
    "<v a>",
    "&lt;",
    "<ANNOTATION_DOCUMENT>",
    "<TIER TIER_ID=\"a\">",
    "u1 1 s 0.0 1.0 x\n",
    "u1 sox a.wav |\n",
    "घर\u{feff} ",
    "../",
];

/// Heads that say what the rest is.
const HEADS: [&str; 12] = [
    "",
    "file_name,text\n",
    "id\ttext\n",
    "\"",
    "[",
    "{\"a\":",
    "WEBVTT\n\n",
    "<?xml version=\"1.0\"?><ANNOTATION_DOCUMENT>",
    "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n",
    "token|speaker|ts|endTs\n",
    "\u{feff}",
    "{\"jobName\":\"x\",\"results\":",
];

fn filled(head: &str, pieces: &[&str], size: usize) -> Vec<u8> {
    let unit = pieces.concat();
    let mut bytes = head.as_bytes().to_vec();
    while bytes.len() < size && !unit.is_empty() {
        bytes.extend(unit.as_bytes());
    }
    bytes
}

/// Reads a file as it is read where nothing is known of it.
fn read_as_it_seems(name: &str, bytes: &[u8]) {
    let files = InMemory::new([(name, bytes), ("a.wav", &b""[..])]);
    let _ = judge(&files, Some(name), &Options::default());
    for side in [Side::References, Side::Hypotheses] {
        let _ = read(&files, Some(name), side, &ReadOptions::default());
    }
    let _ = layouts(&files, Some(name), None);
}

/// The same as each format.
fn read_as_each(name: &str, bytes: &[u8]) {
    let files = InMemory::new([(name, bytes), ("a.wav", &b""[..])]);
    for format in Format::ALL {
        let options = Options {
            format: Some(*format),
            ..Options::default()
        };
        let _ = judge(&files, Some(name), &options);
        let wanted = ReadOptions {
            format: Some(*format),
            ..ReadOptions::default()
        };
        let _ = read(&files, Some(name), Side::References, &wanted);
    }
}

/// Does it on a thread that is waited for until the deadline.
fn in_time(what: &str, work: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    match wait.recv_timeout(DEADLINE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: not done in {DEADLINE:?}"),
        _ => thread.join().unwrap(),
    }
}

/// Most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn within_memory(what: &str) {
    let peak = peak();
    assert!(peak <= MOST_KIB, "{peak} KiB after {what}");
}

/// What small files unpack to.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    use std::io::Write;
    let gzip = |piece: &str, size: usize| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&filled("", &[piece], size)).unwrap();
        packer.finish().unwrap()
    };
    let gzip_of = |head: &str, piece: &str, tail: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let many = filled(head, &[&piece.repeat(1_000)], 60 * MIB);
        packer.write_all(&many).unwrap();
        packer.write_all(tail.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let mut zips = Vec::new();
    let zeros = vec![b' '; 32 * MIB];
    zips.push(archive(&[deflated("metadata.csv", zeros.clone())]));
    let small = (0..2_000).map(|at| deflated(format!("{at}.txt"), "x"));
    zips.push(archive(&small.collect::<Vec<_>>()));
    let sheet = [
        deflated("[Content_Types].xml", "<Types/>"),
        deflated("xl/workbook.xml", zeros.clone()),
        deflated("xl/worksheets/sheet1.xml", zeros),
    ];
    let mut all = vec![
        ("a.jsonl.gz", gzip("\n", 80 * MIB)),
        ("a.jsonl.gz", gzip("{\"text\":\"x\"}\n", 3 * MIB)),
        ("a.csv.gz", gzip("a,b\n", MIB)),
        // As much as is unpacked at all.
        ("a.json.gz", gzip_of("[0", ",0", "]")),
        (
            "a.json.gz",
            gzip_of("[{\"text\":\"x\"}", ",{\"text\":\"x\"}", "]"),
        ),
        (
            "a.json.gz",
            gzip_of("{\"text\":\"x\",\"words\":[0", ",0", "]}"),
        ),
        ("a.json.gz", gzip_of("{\"results\":[{}", ",{\"a\":0}", "]}")),
        (
            "a.json.gz",
            gzip_of(
                "[{\"id\":1,\"data\":{},\"annotations\":[{}",
                ",{\"result\":[]}",
                "]}]",
            ),
        ),
        (
            "a.jsonl.gz",
            gzip_of(
                "",
                "{\"id\":\"u\",\"text\":\"x\",\"words\":[{\"a\":1},{\"a\":1}]}\n",
                "",
            ),
        ),
        (
            "cuts.jsonl.gz",
            gzip_of("", "{\"supervisions\":[{},{\"a\":0},{\"a\":0}]}\n", ""),
        ),
        ("a.jsonl.gz", gzip_of("{\"text\":\"", "a b ", "\"}")),
        ("a.txt.gz", gzip_of("", "\n", "")),
        ("a.txt.gz", gzip_of("", "u1 x\n", "")),
        ("a.trn.gz", gzip_of("", "x (u1)\n", "")),
        ("a.stm.gz", gzip_of("", "u1 1 s 0.0 1.0 x\n", "")),
        ("a.ctm.gz", gzip_of("", "u1 1 0.0 1.0 x\n", "")),
        ("a.jsonl", each_its_own()),
        ("a.xlsx", archive(&sheet)),
    ];
    all.extend(zips.into_iter().map(|zip| ("a.zip", zip)));
    all
}

const TEXT: &str = "यह एक परीक्षण वाक्य है जो काफी लंबा है";

/// A table with `fields` columns beside recording, text and language.
fn table(rows: usize, fields: usize, texts: usize) -> String {
    let mut table = String::from("file_name,text,language");
    (0..fields).for_each(|field| write!(table, ",f{field}").unwrap());
    for row in 0..rows {
        let text = TEXT.repeat(texts);
        write!(table, "\nclips/{row:07}.wav,{text} {row},hi").unwrap();
        (0..fields).for_each(|field| write!(table, ",v{}", (row * 7 + field) % 999).unwrap());
    }
    table
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|at| line(at) + "\n").collect()
}

/// A file that is made when it is read.
type Made = (&'static str, fn() -> String);

/// Files as people have them, as large as is read, and larger.
const NEAR_THE_LIMITS: [Made; 12] = [
    ("metadata.csv", || table(140_000, 2, 3)),
    ("metadata.csv", || table(149_000, 2, 1)),
    ("metadata.csv", || table(100_000, 2, 4)),
    ("metadata.csv", || table(100_000, 10, 2)),
    ("metadata.csv", || table(149_000, 47, 1)),
    ("metadata.csv", || table(60_000, 47, 1)),
    ("manifest.jsonl", || {
        lines(100_000, |at| {
            format!(
                "{{\"audio_filepath\":\"a/{at}.wav\",\"duration\":3.2,\
                 \"text\":\"{TEXT} {TEXT} {at}\",\"gender\":\"f\"}}"
            )
        })
    }),
    ("a.trn", || lines(480_000, |at| format!("{TEXT} (u{at})"))),
    ("a.stm", || {
        lines(480_000, |at| {
            format!("r{} 1 s{} {}.0 {}.5 {TEXT}", at / 4, at % 7, at % 4, at % 4)
        })
    }),
    ("a.ctm", || {
        lines(480_000, |at| {
            format!("r{} 1 {}.0 0.5 परीक्षण", at / 400, at % 400)
        })
    }),
    ("text", || lines(480_000, |at| format!("utt{at} {TEXT}"))),
    ("a.txt", || lines(480_000, |at| format!("{TEXT} {at}"))),
];

/// A file in memory that is read where it is, as the command line does.
struct Held {
    names: [String; 1],
    bytes: Arc<[u8]>,
}

struct Part(Arc<[u8]>);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Files for Held {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read(&self, _: &str, _: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.bytes.to_vec())
    }

    fn head(&self, _: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.bytes.get(..most).unwrap_or(&self.bytes).to_vec())
    }

    fn utf8(&self, _: &str, _: usize) -> Option<Whole> {
        fn told(bytes: &[u8]) -> Option<&str> {
            std::str::from_utf8(bytes).ok()
        }
        Whole::held(Box::new(Part(Arc::clone(&self.bytes))), told)
    }
}

/// Rows with a field of its own each.
fn each_its_own() -> Vec<u8> {
    let rows = (0..100_000).map(|at| format!("{{\"id\":\"u{at}\",\"k{at}\":\"x\"}}\n"));
    rows.collect::<String>().into_bytes()
}

/// Says which of them a process reads: each has one of its own, for what was read before leaves
/// its memory behind.
const WHICH: &str = "READ_NEAR_THE_LIMITS";

fn read_near_the_limits(which: &str) {
    let (case, side) = which.split_once(' ').unwrap();
    let (name, made) = NEAR_THE_LIMITS[case.parse::<usize>().unwrap()];
    let bytes: Arc<[u8]> = made().into_bytes().into();
    let what = format!("{name} of {} bytes: {side}", bytes.len());
    let names = [name.to_owned()];
    let files = Held { names, bytes };
    // What making it took is not counted.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let wanted = ReadOptions::default();
    let start = std::time::Instant::now();
    let rows = match side {
        "judged" => judge(&files, Some(name), &Options::default()).map(|all| all.samples.len()),
        "references" => {
            read(&files, Some(name), Side::References, &wanted).map(|all| all.entries.len())
        }
        _ => read(&files, Some(name), Side::Hypotheses, &wanted).map(|all| all.entries.len()),
    };
    println!(
        "{what}: {} MiB, {:?}, {rows:?}",
        peak() / 1024,
        start.elapsed()
    );
    within_memory(&what);
}

#[test]
fn tables_and_lists_as_large_as_is_read_take_bounded_memory() {
    if let Ok(which) = std::env::var(WHICH) {
        return read_near_the_limits(&which);
    }
    let own = std::env::current_exe().unwrap();
    let mut failed = Vec::new();
    for case in 0..NEAR_THE_LIMITS.len() {
        for side in ["judged", "references", "hypotheses"] {
            let test = "tables_and_lists_as_large_as_is_read_take_bounded_memory";
            let mut one = std::process::Command::new(&own);
            one.args([test, "--exact", "--nocapture"])
                .env(WHICH, format!("{case} {side}"));
            let done = one.output().unwrap();
            let told = String::from_utf8_lossy(&done.stdout);
            println!(
                "{}",
                told.lines()
                    .find(|line| line.contains("MiB"))
                    .unwrap_or_default()
            );
            if !done.status.success() {
                failed.push(format!("{told}{}", String::from_utf8_lossy(&done.stderr)));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn any_bytes_take_bounded_memory_and_work() {
    // Each piece by itself, large, under a few names in turn.
    for (at, piece) in PIECES.iter().enumerate() {
        for step in 0..2 {
            let name = NAMES[(at * 5 + step * 7) % NAMES.len()];
            let head = HEADS[(at + step * 5) % HEADS.len()];
            let what = format!("{name}: {head:?} {piece:?}");
            in_time(&what, move || {
                read_as_it_seems(name, &filled(head, &[piece], LARGE));
            });
            within_memory(&what);
        }
    }
    for (name, bytes) in bombs() {
        let what = format!("{name} of {} bytes", bytes.len());
        in_time(&what, move || read_as_it_seems(name, &bytes));
        within_memory(&what);
    }
    // Pieces together, drawn; smaller, for each is read as all that there are.
    let mut runner = TestRunner::deterministic();
    let drawn = (
        prop::sample::select(NAMES.to_vec()),
        prop::sample::select(HEADS.to_vec()),
        prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..6),
    );
    for _ in 0..24 {
        let tree = drawn.new_tree(&mut runner).unwrap();
        let (name, head, pieces) = tree.current();
        let what = format!("{name}: {head:?} {pieces:?}");
        in_time(&what, move || {
            read_as_each(name, &filled(head, &pieces, SMALL))
        });
        within_memory(&what);
    }
    // Bytes that are nothing at all.
    let mut runner = TestRunner::new(Config::with_cases(8));
    let bytes = prop::collection::vec(any::<u8>(), SMALL..2 * SMALL);
    let any = (prop::sample::select(NAMES.to_vec()), bytes);
    runner
        .run(&any, |(name, bytes)| {
            in_time(name, move || read_as_each(name, &bytes));
            within_memory(name);
            Ok(())
        })
        .unwrap();
    within_memory("all");
}
