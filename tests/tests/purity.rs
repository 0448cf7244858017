//! The pure crates stay pure: they depend on nothing that reaches a network or a
//! runtime, and their sources name nothing that reaches the machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders below `shared`, each a crate.
const PURE: &[&str] = &["scoring", "audio", "domain", "wire", "formats", "html"];
/// Beginnings of names of packages that do I/O or wait for it.
const EDGES: &[&str] = &[
    "async-",
    "aws",
    "axum",
    "futures",
    "h2",
    "http",
    "hyper",
    "lambda",
    "mio",
    "reqwest",
    "rustls",
    "socket2",
    "stt-eval-shared",
    "tokio",
    "tower",
];
/// What reaches the machine by the standard library, or reads a clock.
const REACHES: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "Instant::",
    "SystemTime",
    "::now_utc",
];
/// The one place where a clock is read, for callers: no rule of the domain does.
const CLOCK: (&str, &str) = ("timestamp.rs", "::now_utc");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Names of what a package is made of, itself among them.
fn made_of(package: &str) -> BTreeSet<String> {
    let told = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal"])
        .args(["--prefix", "none", "--package", package])
        .current_dir(root())
        .output()
        .unwrap();
    let reason = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{package}: {reason}");
    let text = String::from_utf8(told.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn edges(packages: &BTreeSet<String>) -> Vec<&String> {
    let is_edge = |name: &&String| EDGES.iter().any(|edge| name.starts_with(edge));
    packages.iter().filter(is_edge).collect()
}

/// Sources of what is deployed: tests may read files.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if !path.to_string_lossy().ends_with("tests.rs") {
            found.push(path);
        }
    }
}

#[test]
fn pure_crates_depend_on_nothing_that_does_io() {
    for name in PURE {
        let package = format!("stt-eval-{name}");
        let packages = made_of(&package);
        assert!(packages.contains(&package), "{packages:?}");
        assert_eq!(edges(&packages), Vec::<&String>::new(), "{package}");
    }
}

#[test]
fn what_does_io_is_known_for_it() {
    let packages = made_of("stt-eval-shared");
    let known = edges(&packages);
    for name in ["aws-sdk-dynamodb", "hyper", "reqwest", "tokio"] {
        assert!(known.iter().any(|edge| *edge == name), "{name}: {known:?}");
    }
}

#[test]
fn the_command_line_knows_no_aws() {
    let packages = made_of("stt-eval-cli");
    assert!(packages.contains("reqwest"), "{packages:?}");
    for name in &packages {
        let is_of_the_cloud = ["aws", "lambda", "stt-eval-shared", "stt-eval-local"]
            .iter()
            .any(|beginning| name.starts_with(beginning));
        assert!(!is_of_the_cloud, "{name}");
    }
}

#[test]
fn pure_sources_name_nothing_that_reaches_the_machine() {
    let mut clocks = 0;
    for name in PURE {
        let mut files = Vec::new();
        sources(&root().join("shared").join(name).join("src"), &mut files);
        assert!(files.len() > 10, "{name}: {files:?}");
        for file in files {
            let source = std::fs::read_to_string(&file).unwrap();
            let product = source.split("#[cfg(test)]").next().unwrap();
            for reach in REACHES.iter().filter(|reach| product.contains(**reach)) {
                let place = file.file_name().unwrap().to_str().unwrap();
                assert_eq!((place, *reach), CLOCK, "{}", file.display());
                clocks += 1;
            }
        }
    }
    assert_eq!(clocks, 1, "the clock is read where it was");
}

#[test]
fn services_of_the_api_know_nothing_of_http() {
    let home = root().join("functions/api/src");
    let mut files = vec![home.join("actor.rs"), home.join("refusal.rs")];
    sources(&home.join("services"), &mut files);
    sources(&home.join("views"), &mut files);
    assert!(files.len() > 30, "{files:?}");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for word in ["axum", "http::", "StatusCode", "HeaderMap", "Multipart"] {
            assert!(!source.contains(word), "{word} in {}", file.display());
        }
    }
}
