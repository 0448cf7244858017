//! Tables and JSON lines: what they say, and the bounds that hold before work is done.

use proptest::prelude::*;

use super::*;

#[test]
fn spreadsheets_and_json_lines_say_the_same() {
    let csv = "\u{feff}filename,ground_truth,speaker\r\na.wav,\"नमस्ते, आप\",s1\r\nb.wav,,\r\n";
    let tsv = "filename\tground_truth\tspeaker\na.wav\tनमस्ते, आप\ts1\nb.wav\t\t\n";
    let jsonl = "{\"filename\":\"a.wav\",\"ground_truth\":\"नमस्ते, आप\",\"speaker\":\"s1\"}\n{\"filename\":\"b.wav\"}";
    let strip = |rows: Vec<Row>| {
        rows.into_iter()
            .map(|row| Row { line: 0, ..row })
            .collect::<Vec<_>>()
    };
    let rows = strip(parse(csv.as_bytes(), Format::Csv).unwrap());
    assert_eq!(rows[0].ground_truth.as_deref(), Some("नमस्ते, आप"));
    assert_eq!(rows[0].metadata["speaker"], "s1");
    assert_eq!(rows[1].ground_truth, None);
    assert_eq!(rows, strip(parse(tsv.as_bytes(), Format::Tsv).unwrap()));
    assert_eq!(rows, strip(parse(jsonl.as_bytes(), Format::Jsonl).unwrap()));
}

#[test]
fn errors_name_the_line() {
    let bad = parse(b"file_id,x\nfile_1,2\n", Format::Csv).unwrap_err();
    assert_eq!(bad[0].field, "line 2: file_id");
    let bad = parse(b"file_id\r\nx\r\ny\r\n", Format::Csv).unwrap_err();
    assert_eq!(bad[0].field, "line 2: file_id");
    assert_eq!(bad[1].field, "line 3: file_id");
    let bad = parse(b"name\na\n", Format::Csv).unwrap_err();
    assert!(bad[0].message.contains("file_id or filename"));
    assert!(
        parse(b"filename\n", Format::Csv).unwrap_err()[0]
            .message
            .contains("no rows")
    );
    let bad = parse(b"{\"filename\":\"a\"}\n[1]\n", Format::Jsonl).unwrap_err();
    assert_eq!(bad[0].field, "line 2");
    assert!(
        parse(b"\xff\xfe", Format::Csv).unwrap_err()[0]
            .message
            .contains("UTF-8")
    );
    let silent = parse(b"{\"filename\":\"a\",\"ground_truth\":\"\"}", Format::Jsonl).unwrap();
    assert_eq!(silent[0].ground_truth.as_deref(), Some(""));
}

fn refused(table: &str, format: Format) -> FieldError {
    parse(table.as_bytes(), format).unwrap_err().remove(0)
}

/// What is as long as a manifest may be.
const WHOLE: usize = 20 * 1024 * 1024;

#[test]
fn columns_are_counted_before_they_are_compared() {
    let header = |columns: usize| {
        let names: Vec<String> = (1..columns).map(|n| format!("c{n}")).collect();
        format!("filename,{}\n", names.join(","))
    };
    let row = |columns: usize| format!("a.wav{}\n", ",x".repeat(columns - 1));
    // No sample has as much metadata, but that is said by line and field.
    let most = refused(&(header(64) + &row(64)), Format::Csv);
    assert_eq!(most.field, "line 2: metadata");
    let more = refused(&(header(65) + &row(65)), Format::Csv);
    assert!(
        more.message.contains("at most 64 columns, has 65"),
        "{more:?}"
    );
    let many = refused(&header(6_000), Format::Csv);
    assert!(many.message.contains("has 6000"), "{many:?}");
    // Comparing each with each would take hours for this one.
    let endless = refused(&"x,".repeat(WHOLE / 2), Format::Csv);
    assert!(
        endless.message.contains("line 1 is longer than 64 KiB"),
        "{endless:?}"
    );
    let twice = refused("filename,a, a\nx,1,2\n", Format::Csv);
    assert!(twice.message.contains("\"a\" is there twice"), "{twice:?}");
}

#[test]
fn a_line_is_measured_before_it_is_parsed() {
    let text = |size: usize| "x".repeat(size);
    // Exactly as long as a line may be, and one more.
    let record = |size: usize| {
        format!(
            "filename,ground_truth\na.wav,{}\r\nb.wav,\r\n",
            text(size - 6)
        )
    };
    let rows = parse(record(MAX_LINE_BYTES).as_bytes(), Format::Csv).unwrap();
    assert_eq!((rows.len(), rows[1].line), (2, 3));
    let long = refused(&record(MAX_LINE_BYTES + 1), Format::Csv);
    assert_eq!(long.field, "line 2");
    assert!(long.message.contains("64 KiB"), "{long:?}");

    let line = |size: usize| {
        let rest = r#"{"filename":"a","ground_truth":""}"#.len();
        format!(
            r#"{{"filename":"a","ground_truth":"{}"}}"#,
            text(size - rest)
        )
    };
    assert!(parse(line(MAX_LINE_BYTES).as_bytes(), Format::Jsonl).is_ok());
    let table = format!(
        "{{\"filename\":\"b\"}}\r\n\r\n{}\n[]\n",
        line(MAX_LINE_BYTES + 1)
    );
    let both = parse(table.as_bytes(), Format::Jsonl).unwrap_err();
    assert_eq!((&*both[0].field, &*both[1].field), ("line 3", "line 4"));
    assert!(both[0].message.contains("64 KiB"), "{both:?}");

    // A quote that is never closed swallows the rest of the file.
    let open = format!(
        "filename,ground_truth\na,b\nc,\"{}",
        "d\n".repeat(WHOLE / 2)
    );
    let open = refused(&open, Format::Csv);
    assert_eq!(open.field, "line 3");
    assert!(open.message.contains("quote"), "{open:?}");
    // Or only some rows of it, up to the next one.
    for swallows in [
        "filename,ground_truth\na,\"b\nc,d\n",
        "filename,ground_truth\na,\"b\nc,\"d\"\n",
    ] {
        let told = refused(swallows, Format::Csv);
        assert_eq!(told.field, "line 2");
        assert_eq!(told.message, "a quote in it is not closed");
    }
    let fine = "filename,ground_truth\na,\"b\nc, \"\"d\"\"\"\r\ne,\"f\" g\nh,i \"j\"\n";
    assert_eq!(parse(fine.as_bytes(), Format::Csv).unwrap().len(), 3);
    let twice = refused("{\"filename\":\"a\",\"filename\":\"b\"}\n", Format::Jsonl);
    assert_eq!(twice.message, "the field \"filename\" is there twice");
    // Records over several lines count as one.
    let over = format!(
        "filename,ground_truth\na,\"{}\"\nb,c\n",
        "d\n".repeat(MAX_LINE_BYTES / 2)
    );
    assert_eq!(refused(&over, Format::Csv).field, "line 2");
}

#[test]
fn lines_after_the_last_error_that_is_told_are_not_read() {
    let table = format!("filename,a\n{}", "x\n".repeat(100_000));
    assert_eq!(parse(table.as_bytes(), Format::Csv).unwrap_err().len(), 20);
    let table = "x\n".repeat(100_000);
    assert_eq!(
        parse(table.as_bytes(), Format::Jsonl).unwrap_err().len(),
        20
    );
}

#[test]
fn values_of_json_lines_are_taken_or_named() {
    let line = r#"{"filename":"a","n":1,"f":1.0,"e":1e3,"t":true,"z":null,
        "metadata":{"m":-2,"s":"x"}}"#
        .replace('\n', "");
    let rows = parse(line.as_bytes(), Format::Jsonl).unwrap();
    let kept: Vec<(&str, &str)> = rows[0]
        .metadata
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let wanted = [
        ("e", "1000.0"),
        ("f", "1.0"),
        ("m", "-2"),
        ("n", "1"),
        ("s", "x"),
        ("t", "true"),
    ];
    assert_eq!(kept, wanted);
    let many: Vec<String> = (0..64).map(|n| format!("\"c{n}\":[{n}]")).collect();
    for (line, place, reason) in [
        (
            r#"{"filename":"a","x":[1,[2]]}"#,
            "line 1: x",
            "text, a number",
        ),
        (
            r#"{"filename":"a","x":{"y":1}}"#,
            "line 1: x",
            "text, a number",
        ),
        (
            r#"{"filename":"a","metadata":{"y":{"z":1}}}"#,
            "line 1: metadata.y",
            "text, a number",
        ),
        (
            r#"{"filename":"a","metadata":{"y":null}}"#,
            "line 1: metadata.y",
            "text, a number",
        ),
        (
            r#"{"filename":"a","metadata":[1]}"#,
            "line 1: metadata",
            "an object",
        ),
        (
            &format!(r#"{{"metadata":{{{},"l":1}}}}"#, many.join(",")),
            "line 1: metadata",
            "at most 50",
        ),
        (
            &format!(r#"{{"filename":"a",{}}}"#, many.join(",")),
            "line 1",
            "at most 64 fields",
        ),
        (r#"{"filename":"a"} {}"#, "line 1", "JSON object"),
        (r#"{"filename":"a","#, "line 1", "JSON object"),
        (
            &format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)),
            "line 1",
            "JSON object",
        ),
        (
            &format!(r#"{{"a":{}}}"#, "[".repeat(1_000)),
            "line 1",
            "JSON object",
        ),
    ] {
        let error = refused(line, Format::Jsonl);
        assert_eq!(error.field, place, "{line}");
        assert!(error.message.contains(reason), "{line}: {error:?}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>) {
        for format in [Format::Csv, Format::Tsv, Format::Jsonl] {
            let _ = parse(&bytes, format);
        }
    }
}
