//! Files that pages load: style and scripts, named by their content when this crate is
//! built.

/// A file that pages load.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Name of the file.
    pub name: &'static str,
    /// Where it is served. Holds a digest of the content: what is there never changes.
    pub path: &'static str,
    /// Value of the header `content-type`.
    pub content_type: &'static str,
    /// Source of a content security policy that admits exactly this text inline.
    pub csp_source: &'static str,
    /// The text.
    pub plain: &'static str,
}

/// All of them, by name.
pub static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The asset at a path; `None` for a path of another build as well, so that a text is
/// never kept for good under the digest of another.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// The asset of a name.
#[must_use]
pub(crate) fn named(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Bytes that a text is sent as.
    fn packed(text: &str) -> usize {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::new(4));
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap().len()
    }

    #[test]
    fn assets_are_found_by_their_path_alone() {
        for asset in ASSETS {
            assert_eq!(find(asset.path).unwrap().name, asset.name);
            assert!(find(&format!("/assets/0000000000000000/{}", asset.name)).is_none());
        }
        assert!(find("/assets/../Cargo.toml").is_none());
        assert!(named("style.css").is_some());
    }

    #[test]
    fn a_review_needs_one_script_of_its_own_within_its_budget() {
        let script = named("review.js").unwrap();
        // What each page has loaded is not in it once more.
        let outbox = named("outbox.js").unwrap();
        assert_eq!(script.plain.matches("import ").count(), 1);
        assert!(script.plain.contains(&format!("from '{}'", outbox.path)));
        assert!(!script.plain.contains("export "));
        assert!(script.plain.contains("const keys = (() => {"));
        // What few pages need is asked for where it is needed.
        let declined = named("declined.js").unwrap();
        assert!(
            outbox
                .plain
                .contains(&format!("import('{}')", declined.path))
        );
        let upload = named("upload.js").unwrap();
        let sizes = [script, outbox, upload].map(|of| packed(of.plain));
        assert!(
            sizes[0] <= 12_000 && sizes[1] <= 3_000 && sizes[2] <= 5_000,
            "{sizes:?}"
        );
    }

    #[test]
    fn a_script_of_a_page_asks_for_none_but_the_one_that_is_on_every_page() {
        let outbox = named("outbox.js").unwrap();
        let all = ASSETS.iter().filter(|asset| asset.name.ends_with(".js"));
        let imports: Vec<_> = all
            .flat_map(|script| {
                let lines = script.plain.lines();
                let found = lines.filter(|line| line.starts_with("import "));
                found.map(move |line| (script.name, line))
            })
            .collect();
        let ours = format!("from '{}';", outbox.path);
        assert!(
            imports.iter().all(|(_, line)| line.ends_with(&ours)),
            "{imports:?}"
        );
        let of: Vec<_> = imports.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            of,
            ["reference.js", "review.js", "settings.js", "upload.js"]
        );
    }

    #[test]
    fn the_style_stays_within_its_budget_and_may_stand_in_a_page() {
        let style = named("style.css").unwrap();
        assert!(packed(style.plain) <= 10_000, "{}", packed(style.plain));
        // It would end the element that it is embedded in.
        assert!(!style.plain.contains("</"));
        assert!(!style.plain.contains("url("), "nothing is loaded by it");
        assert!(!style.plain.contains("@import"));
    }
}
