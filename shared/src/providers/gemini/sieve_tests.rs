//! What is left of JSON texts, of what sort and in what pieces they come.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

static SCALAR: Keep = Keep::Scalar;
static ENTRY: Keep = Keep::Members {
    names: &[("name", &SCALAR), ("inner", &INNER)],
    others: false,
};
static INNER: Keep = Keep::Members {
    names: &[("text", &SCALAR)],
    others: false,
};
static ENTRIES: Keep = Keep::Each(&ENTRY);
static PAGE: Keep = Keep::Members {
    names: &[("list", &ENTRIES), ("token", &SCALAR)],
    others: true,
};

fn sift(pieces: &[&[u8]]) -> Result<Value, Broken> {
    let mut sieve = Sieve::new(&PAGE);
    for piece in pieces {
        sieve.feed(piece)?;
    }
    Ok(serde_json::from_slice(&sieve.finish()?).unwrap())
}

/// What a value is after the sieve, said once more over values.
fn sifted(value: &Value, keep: &Keep) -> Value {
    match (keep, value) {
        (Keep::Members { names, others }, Value::Object(members)) => {
            let mut kept = Map::new();
            for (name, value) in members {
                match names.iter().find(|(known, _)| known == name) {
                    Some((_, keep)) => {
                        kept.insert(name.clone(), sifted(value, keep));
                    }
                    None if *others => {
                        kept.insert(name.clone(), Value::Null);
                    }
                    None => {}
                }
            }
            Value::Object(kept)
        }
        (Keep::Each(keep), Value::Array(list)) => {
            list.iter().map(|value| sifted(value, keep)).collect()
        }
        (_, Value::Object(_)) => json!({}),
        (_, Value::Array(_)) => json!([]),
        (Keep::Scalar, value) => value.clone(),
        (_, Value::String(_)) => json!(0),
        (_, value) => value.clone(),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}|[\"\\\\/\n\u{1}]{0,4}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("name".to_owned()),
        Just("inner".to_owned()),
        Just("text".to_owned()),
        Just("list".to_owned()),
        Just("token".to_owned()),
        "\\PC{0,4}|[\"\\\\]{0,3}",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_kept_is_what_a_parser_would_find(
        list in values(),
        more in prop::collection::vec(("\\PC{0,4}|list|token", values()), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        pretty in any::<bool>(),
    ) {
        let mut members: Map<String, Value> = more.into_iter().collect();
        members.insert("list".to_owned(), list);
        let body = Value::Object(members);
        let text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
        let text = text.unwrap().into_bytes();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let pieces: Vec<&[u8]> = ends.windows(2).map(|ends| &text[ends[0]..ends[1]]).collect();
        prop_assert_eq!(sift(&pieces), Ok(sifted(&body, &PAGE)));
        // Half a body is none, wherever it breaks off.
        let whole = text.len() - 1;
        for cut in cuts {
            prop_assert!(sift(&[&text[..cut.index(whole)]]).is_err());
        }
    }

    #[test]
    fn nothing_that_comes_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut sieve = Sieve::new(&PAGE);
        let _ = sieve.feed(b"{\"list\":[");
        let _ = sieve.feed(&bytes);
        let _ = sieve.finish();
    }
}

#[test]
fn what_is_not_one_object_is_refused() {
    for bad in [
        "",
        " ",
        "[]",
        "<html></html>",
        "\"x\"",
        "7",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}x",
        "{}{}",
        "{} x",
        "{\"a\":1]",
        "{\"list\":[}",
        "{\"a\" 1}",
        "{1:2}",
        "{,}",
    ] {
        assert!(sift(&[bad.as_bytes()]).is_err(), "{bad}");
    }
    assert_eq!(sift(&[b" {\r\n\t} \n"]), Ok(json!({})));
}

#[test]
fn names_may_be_written_with_escapes() {
    let page = br#"{"t\u006fken":"a\"b","list":[{"n\u0061me":"x"}]}"#;
    assert_eq!(
        sift(&[page]),
        Ok(json!({"token": "a\"b", "list": [{"name": "x"}]}))
    );
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut sieve = Sieve::new(&PAGE);
    sieve
        .feed(br#"{"list":[{"name":"a","more":{"text":""#)
        .unwrap();
    let piece = [b'x'; 64 * 1024];
    for _ in 0..512 {
        sieve.feed(&piece).unwrap();
    }
    sieve.feed(br#""}},{"name":""#).unwrap();
    for _ in 0..512 {
        sieve.feed(&piece).unwrap();
    }
    let held = sieve.kept.capacity() + sieve.token.capacity();
    assert!(held <= 4 * MAX_TEXT, "{held} bytes of 64 MB are held");
    sieve.feed(br#""}],"token":"t"}"#).unwrap();
    let kept: Value = serde_json::from_slice(&sieve.finish().unwrap()).unwrap();
    // Too long to be a name: present, and of no use.
    assert_eq!(
        kept,
        json!({"list": [{"name": "a"}, {"name": 0}], "token": "t"})
    );

    let mut sieve = Sieve::new(&PAGE);
    sieve.feed(br#"{"list":["#).unwrap();
    let entries = br#"{"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},"#.repeat(1024);
    let fed = (0..1024).map(|_| sieve.feed(&entries));
    assert!(
        fed.into_iter().any(|fed| fed.is_err()),
        "entries without end"
    );

    let mut sieve = Sieve::new(&PAGE);
    sieve.feed(br#"{"deep":"#).unwrap();
    assert!(sieve.feed(&[b'['; 1_000]).is_err());
}
