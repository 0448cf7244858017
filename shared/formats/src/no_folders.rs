//! Where folders are not read: a file of one is known by its name and its content, and
//! refused with what helps.

use super::files::Files;
use super::layout::Layout;
use super::manifest::{Reader, Reading};
use super::problem::{Code, Problem};

const HINT: &str = "name the folder that it is in to the command line (stt-eval run FOLDER), or \
                    write a table with the columns file_name and text";

/// There is no way to read a folder.
pub(crate) fn layouts(_: &dyn Files, _: Option<&str>) -> Result<Vec<Layout>, Problem> {
    let problem = Problem::new(Code::Unsupported, "folders are not read here");
    Err(problem.hint(HINT))
}

/// Says what a file is.
pub(crate) fn read(_: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let title = layout.format.title();
    let message = format!("is read as {title}, which is several files: not read here");
    let file = layout.files.first().map_or("", String::as_str);
    Err(Problem::new(Code::Unsupported, message)
        .file(file)
        .hint(HINT))
}

/// There are no two readings.
pub(crate) const fn agree(_: (&Layout, &Reading), _: (&Layout, &Reading)) -> Result<(), Problem> {
    Ok(())
}

/// What is told of folders alone.
pub(crate) const fn without<S: AsRef<str>>(_: &[S]) -> Option<Problem> {
    None
}

/// What is told of folders alone.
pub(crate) const fn not_understood(_: &dyn Files, _: &[String]) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::InMemory;
    use crate::finding::Findings;
    use crate::layout::layouts as of_source;
    use crate::manifest::Options;

    #[test]
    fn a_file_of_a_folder_is_named_and_refused_with_what_helps() {
        let cut = r#"{"id": "c1", "start": 0, "duration": 2.0, "supervisions": []}"#;
        for (name, text, title) in [
            ("wav.scp", "u1 a.wav\n", "Kaldi data folder"),
            ("cuts.jsonl", cut, "lhotse manifests"),
            (
                "test.tsv",
                "/data/valid\na/1.wav\t89280\n",
                "fairseq manifest",
            ),
            (
                "a.json",
                r#"{"speaker_id": "S7", "verbatim": []}"#,
                "IndicVoices",
            ),
        ] {
            let files = InMemory::new([(name, text)]);
            let found = of_source(&files, Some(name), None);
            let found = found.map(|mut all| all.remove(0));
            let (options, mut findings) = (Options::default(), Findings::default());
            let mut reader = Reader::new(&files, &options, &mut findings);
            let told = found.and_then(|layout| read(&mut reader, &layout));
            let message =
                format!("{name}: is read as {title}, which is several files: not read here");
            let told = told.map_err(|problem| (problem.to_string(), problem.hint));
            assert_eq!(told, Err((message, Some(HINT.to_owned()))));
        }
    }

    #[test]
    fn folders_are_refused_and_nothing_is_told_of_them() {
        let files = InMemory::new([("a.wav", "")]);
        let refused = layouts(&files, None).map_err(|problem| problem.code);
        assert_eq!(refused, Err(Code::Unsupported));
        let of = Layout {
            format: crate::Format::Table,
            files: Vec::new(),
            split: None,
        };
        let reading = Reading::default();
        assert_eq!(agree((&of, &reading), (&of, &reading)), Ok(()));
        assert_eq!(without(&["a.tar"]), None);
        assert_eq!(not_understood(&files, &[]), None);
    }
}
