//! What is found in the rows of a table, before anything is saved.

use super::Browser;
use super::datasets::recordings;
use crate::support::{World, with};

/// The page of what is found in a table of Hindi, beside recordings of these names.
async fn previewed(w: &World, names: &[&str], (name, table): (&str, &str)) -> String {
    let files = recordings(w, names).await;
    let mut browser = Browser::signed_in(w, &w.project.key).await;
    let form = [("name", "rows"), ("language", "Hindi"), ("files", &*files)];
    let sent = Some(("table", name, "text/csv", table.as_bytes()));
    let page = browser.send_form("/datasets/preview", &form, sent).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

#[test]
fn rows_that_begin_on_one_line_are_told_apart() {
    with(async |w| {
        // As programs write it; the last row can't be used, the others can.
        let table = "[{\"file_name\": \"a.wav\", \"text\": \"नमस्ते जी\"}, \
             {\"file_name\": \"b.wav\", \"text\": \"good morning to you all\"}, \
             {\"file_name\": \"c.wav\", \"text\": \"کیا حال ہے آپ کا\"}, \
             {\"file_name\": \"d.wav\", \"text\": \"good night to you all\", \"language\": \"ur\"}, \
             {\"file_name\": \"gone.wav\", \"text\": \"कल\"}]";
        let names = ["a.wav", "b.wav", "c.wav", "d.wav"];
        let page = previewed(w, &names, ("t.json", table)).await;
        let script = "the text is in another script than its language";
        for part in [
            "4\u{a0}clips can be saved, 1 can’t.",
            "<li>line 1: gone.wav is not there <q><bdi lang=\"hi\" dir=\"ltr\">कल</bdi></q></li>",
            "Wrong script for the language <small>3</small>",
            &format!(
                "<li>line 1, b.wav: {script} \
                 <q><bdi lang=\"hi\" dir=\"ltr\">good morning to you all</bdi></q></li>"
            ),
            // Set as it is written, and read out as what it is said to be.
            &format!("line 1, c.wav: {script} <q><bdi lang=\"hi\" dir=\"rtl\">کیا"),
            &format!("line 1, d.wav: {script} <q><bdi lang=\"ur\" dir=\"ltr\">good night"),
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    });
}

#[test]
fn of_two_rows_that_are_called_the_same_none_is_taken_for_the_other() {
    with(async |w| {
        let table = "[{\"id\": \"7\", \"file_name\": \"a.wav\", \"text\": \"good morning to you all\"}, \
             {\"id\": \"7\", \"file_name\": \"gone.wav\", \"text\": \"कल\"}]";
        let page = previewed(w, &["a.wav"], ("t.json", table)).await;
        for part in [
            "1\u{a0}clip can be saved, 1 can’t.",
            "<li>line 1: the text is in another script than its language</li>",
            "<li>line 1: gone.wav is not there</li>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    });
}

#[test]
fn what_holds_of_a_whole_table_is_told_of_no_row() {
    with(async |w| {
        // The row on the line that such things are told with is left out.
        let table = "{\"file_name\": \"gone.wav\", \"text\": \"कल\", \"verbatim\": \"कल कल\"}\n\
             {\"file_name\": \"a.wav\", \"text\": \"नमस्ते\", \"verbatim\": \"नमस्ते जी\"}\n";
        let page = previewed(w, &["a.wav"], ("t.jsonl", table)).await;
        let told =
            "<li>line 1: &#34;text&#34; is taken as the text; verbatim could be it as well</li>";
        assert!(page.contains(told), "{page}");
    });
}

#[test]
fn of_a_row_that_is_left_out_nothing_else_is_told() {
    with(async |w| {
        // That its language is none is known only once a clip is made of it.
        let table = "file_name,text,language\na.wav,,klingon\nb.wav,,hi\nc.wav,पाँच,hi\n";
        let names = ["a.wav", "b.wav", "c.wav"];
        let page = previewed(w, &names, ("t.csv", table)).await;
        for part in [
            "2\u{a0}clips can be saved, 1 can’t.",
            "<li>line 2, a.wav: the language “klingon”: ",
            "Empty text <small>1</small>",
            "<li>line 3, b.wav: the text is empty",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    });
}

#[test]
fn each_row_that_can_not_be_used_is_counted_once() {
    with(async |w| {
        let table = "{\"file_name\": \"a.wav\", \"text\": \"एक\", \"language\": \"klingon\"}\n\
             {\"file_name\": \"b.wav\", \"text\": {\"a\": 1}}\n\
             no row\n\
             {\"file_name\": \"c.wav\", \"text\": \"पाँच\"}\n";
        let names = ["a.wav", "b.wav", "c.wav"];
        let page = previewed(w, &names, ("t.jsonl", table)).await;
        for part in [
            "1\u{a0}clip can be saved, 3 can’t.",
            "Rows that can’t be used <small>3</small>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        // What the table tells comes first.
        let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}: {page}"));
        let of_table = at("<li>line 2, b.wav: text is an object and no text");
        assert!(of_table < at("<li>line 1, a.wav: the language “klingon”: "));
        // A tag that is none is no language of a text.
        assert!(
            page.contains("<q><bdi lang=\"hi\" dir=\"ltr\">एक</bdi></q>"),
            "{page}"
        );
    });
}
