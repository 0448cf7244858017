//! Paths of other machines, and what lies outside.

use super::*;
use crate::files::{InMemory, ReadError};

struct At(InMemory);
impl Files for At {
    fn names(&self) -> &[String] {
        self.0.names()
    }
    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        self.0.read(name, most)
    }
    fn head(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        self.0.head(name, most)
    }
    fn place(&self) -> Option<&str> {
        Some("/home/me/set")
    }
    fn working(&self) -> Option<&str> {
        Some("/home/me")
    }
    fn has_outside(&self, path: &str) -> bool {
        matches!(
            path,
            "/data/there.wav"
                | "/home/me/near.wav"
                | "/home/downloads/x/q.wav"
                | "/home/me/other/wavs/a.wav"
                | "/home/wide/top.wav"
                | "/data/of-me/wavs/a.wav"
        )
    }
    fn through_links(&self, path: &str) -> Option<String> {
        // `set` is a link to this folder.
        path.strip_prefix("/data/of-me/").map(str::to_owned)
    }
}

fn set() -> At {
    let names = [
        "wavs/a.wav",
        "clips/x/b.mp3",
        "clips/y/b.mp3",
        "audio/844-1-f.wav",
        "audio/e\u{301}.wav",
        "Upper.WAV",
        "deep/clip-1.flac",
        "._a.wav",
        "top.wav",
    ];
    At(InMemory::new(names.map(|name| (name, Vec::new()))))
}

#[test]
fn paths_of_other_machines_are_found() {
    let files = set();
    let resolver = Resolver::new(&files);
    let found = |name: &str, rule| Resolved::Found(name.to_owned(), rule);
    for (written, folder, wanted) in [
        (
            "/home/me/set/wavs/a.wav",
            "",
            found("wavs/a.wav", Rule::AsWritten),
        ),
        ("a.wav", "wavs", found("wavs/a.wav", Rule::BesideManifest)),
        ("../top.wav", "wavs", found("top.wav", Rule::BesideManifest)),
        (
            "set/wavs/a.wav",
            "",
            found("wavs/a.wav", Rule::WorkingDirectory),
        ),
        (
            "/nlsasfs/home/x/b.mp3",
            "",
            found("clips/x/b.mp3", Rule::Tail),
        ),
        (
            "C:\\Users\\me\\y\\b.mp3",
            "",
            found("clips/y/b.mp3", Rule::Tail),
        ),
        ("wavs\\a.wav", "", found("wavs/a.wav", Rule::BesideManifest)),
        ("/elsewhere/a.wav", "", found("wavs/a.wav", Rule::BaseName)),
        ("b.mp3", "", Resolved::Several(2)),
        (
            "844-1-f.m4a",
            "",
            found("audio/844-1-f.wav", Rule::OtherExtension),
        ),
        (
            "audio/\u{e9}.wav",
            "",
            found("audio/e\u{301}.wav", Rule::BesideManifest),
        ),
        ("upper.wav", "", found("Upper.WAV", Rule::WithoutCase)),
        (
            "/data/upload/3/177ee07a-top.wav",
            "",
            found("top.wav", Rule::BaseName),
        ),
        (
            "/data/local-files/?d=wavs/a.wav",
            "",
            found("wavs/a.wav", Rule::BesideManifest),
        ),
        (
            "https://h/deep/clip%2D1.flac?sig=1",
            "",
            found("deep/clip-1.flac", Rule::Tail),
        ),
        (
            "s3://bucket/wavs/a.wav",
            "",
            found("wavs/a.wav", Rule::Tail),
        ),
        (
            "clip-1",
            "",
            found("deep/clip-1.flac", Rule::OtherExtension),
        ),
        ("/data/there.wav", "", Resolved::Outside),
        ("../near.wav", "", Resolved::Outside),
        ("../../etc/passwd.wav", "", Resolved::Outside),
        ("gone.wav", "", Resolved::Missing),
        ("", "", Resolved::Missing),
    ] {
        assert_eq!(
            resolver.resolve(written, folder, &files, false),
            wanted,
            "{written}"
        );
    }
    assert_eq!(
        resolver.resolve("../near.wav", "", &files, true),
        found("/home/me/near.wav", Rule::Outside)
    );
}

#[test]
fn what_is_there_as_written_goes_before_what_is_called_so_once_it_is_allowed() {
    let files = set();
    let resolver = Resolver::new(&files);
    let found = |name: &str, rule| Resolved::Found(name.to_owned(), rule);
    let other = "/home/me/other/wavs/a.wav";
    for (written, folder) in [
        ("../other/wavs/a.wav", ""),
        ("../../other/wavs/a.wav", "wavs"),
        (other, ""),
        ("/home/me/set/../other/./wavs/a.wav", ""),
        // From the working directory.
        ("other/wavs/a.wav", ""),
    ] {
        let of = |outside| resolver.resolve(written, folder, &files, outside);
        assert_eq!(of(true), found(other, Rule::Outside), "{written}");
        assert_eq!(of(false), found("wavs/a.wav", Rule::Tail), "{written}");
    }
    // The folder by another way.
    let resolved = resolver.resolve("/data/of-me/wavs/a.wav", "", &files, true);
    assert_eq!(resolved, found("wavs/a.wav", Rule::AsWritten));
    // What is not there as written is looked for as before, also in folders above.
    for (written, name, rule) in [
        ("/elsewhere/wavs/a.wav", "wavs/a.wav", Rule::Tail),
        ("wavs/a.wav", "wavs/a.wav", Rule::BesideManifest),
        (
            "downloads/x/q.wav",
            "/home/downloads/x/q.wav",
            Rule::Outside,
        ),
    ] {
        let resolved = resolver.resolve(written, "", &files, true);
        assert_eq!(resolved, found(name, rule), "{written}");
    }
    // A folder above is a guess: one that is called so in the folder goes before it.
    let resolved = resolver.resolve("wide/top.wav", "", &files, true);
    assert_eq!(resolved, found("top.wav", Rule::BaseName));
}

#[test]
fn texts_beside_recordings_are_called_by_their_place_in_the_folder() {
    let of = |written| name_inside(written, "lists", Some("/home/me/set"));
    for (written, name) in [
        ("texts/a.txt", Some("lists/texts/a.txt")),
        ("../texts/a.txt", Some("texts/a.txt")),
        ("/home/me/set/texts/a.txt", Some("texts/a.txt")),
        ("../../a.txt", None),
        ("/etc/passwd", None),
    ] {
        assert_eq!(of(written).as_deref(), name, "{written}");
    }
    assert_eq!(name_inside("/etc/passwd", "", None), None);
    let files = set();
    for (written, path) in [
        ("../../near.wav", Some("/home/me/near.wav")),
        ("/home/me/set/../near.wav", Some("/home/me/near.wav")),
        ("near.wav", Some("/home/me/near.wav")),
        ("/home/me/far.wav", None),
        ("../wavs/a.wav", None),
    ] {
        let found = path_outside(written, "lists", &files);
        assert_eq!(found.as_deref(), path, "{written}");
    }
}

#[test]
fn commands_are_read_and_not_run() {
    let command = "sox /data/c1.wav -t wav -r 8000 - remix 1 |";
    assert_eq!(word_of_command(command), Some("/data/c1.wav"));
    assert_eq!(
        word_of_command("flac -c -d -s 'a b.flac' |"),
        Some("b.flac")
    );
    assert_eq!(word_of_command("sox --null - synth 3 |"), None);
}

#[test]
fn paths_of_a_recipe_begin_in_a_folder_above_its_manifest() {
    let files = set();
    let resolver = Resolver::new(&files);
    let path = "downloads/x/q.wav";
    let of = |folder, outside| resolver.resolve(path, folder, &files, outside);
    let found = "/home/downloads/x/q.wav".to_owned();
    // Two and three folders above; four are too many.
    for folder in ["", "dump"] {
        assert_eq!(of(folder, false), Resolved::Outside, "{folder}");
        assert_eq!(
            of(folder, true),
            Resolved::Found(found.clone(), Rule::Outside)
        );
    }
    assert_eq!(of("dump/raw", true), Resolved::Missing);
}
