//! The page of a form that was sent and not taken.

use http::HeaderMap;
use http::header::REFERER;

use super::place;

/// Last parts of addresses that are only sent to: there is no page to come back to.
const ONLY_SENT_TO: [&str; 13] = [
    "cancel",
    "demo",
    "end",
    "models",
    "preview",
    "propose",
    "rescore",
    "retry",
    "revoke",
    "transcripts",
    "undo",
    "uploads",
    "variant",
];

/// The page of ours that a browser says it was on.
fn told(headers: &HeaderMap) -> Option<&str> {
    let referer = headers.get(REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    let at = rest.find('/')?;
    let (host, target) = rest.split_at_checked(at)?;
    let is_ours = place::host(headers).is_some_and(|own| own.eq_ignore_ascii_case(host));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let last = path.rsplit('/').next().unwrap_or_default();
    // Those that are pages too have what they are of in their query.
    let is_page = !ONLY_SENT_TO.contains(&last) || query.contains("of=");
    (is_ours && is_page).then_some(target)
}

/// The page that what was sent to an address belongs to.
fn about(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let of = match *parts.as_slice() {
        ["runs" | "datasets"] | ["runs", "estimate"] | ["datasets", "preview"] => {
            return format!("/{}/new", parts.first().copied().unwrap_or_default());
        }
        ["uploads"] => return "/datasets/new".to_owned(),
        ["sessions", ..] => return "/keys".to_owned(),
        ["runs", _, "review", _, ..] => 4,
        ["runs", _, "consensus"] => 3,
        ["runs" | "datasets" | "samples", _, ..] => 2,
        ["keys" | "settings", ..] => 1,
        _ => return "/".to_owned(),
    };
    parts.iter().take(of).flat_map(|part| ["/", part]).collect()
}

/// Where the form is that was sent to an address.
pub fn to_form(headers: &HeaderMap, target: &str) -> String {
    told(headers).map_or_else(|| about(target), str::to_owned)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HOST;

    use super::*;

    #[test]
    fn one_comes_back_to_the_page_that_was_sent_from() {
        let clip = "/runs/run_1/review/smp_1";
        for (referer, target, to) in [
            (
                "http://localhost:1/datasets/ds_1?cursor=a",
                "/samples/smp_1",
                "/datasets/ds_1?cursor=a",
            ),
            ("http://LOCALHOST:1/keys", "/keys/key_1/revoke", "/keys"),
            // Of another host, or none.
            (
                "http://localhost:2/datasets/ds_1",
                "/samples/s_1",
                "/samples/s_1",
            ),
            ("http://localhost:1", "/samples/s_1", "/samples/s_1"),
            ("x", "/datasets/ds_1/delete", "/datasets/ds_1"),
            // There is no such page.
            (
                "http://localhost:1/datasets/preview",
                "/datasets",
                "/datasets/new",
            ),
            (
                "http://localhost:1/settings/models",
                "/settings/models",
                "/settings",
            ),
            (
                "http://localhost:1/runs/run_1/review/smp_1/variant?of=A",
                "/runs/run_1/review/smp_1/variant",
                "/runs/run_1/review/smp_1/variant?of=A",
            ),
            (
                "http://localhost:1/runs/run_1/review/smp_1/variant",
                "/runs/run_1/review/smp_1/variant",
                clip,
            ),
            ("", "/runs/run_1/review/smp_1/undo", clip),
            ("", clip, clip),
            ("", "/runs/run_1/cancel", "/runs/run_1"),
            ("", "/runs/run_1/consensus", "/runs/run_1/consensus"),
            ("", "/runs", "/runs/new"),
            ("", "/runs/estimate", "/runs/new"),
            ("", "/uploads", "/datasets/new"),
            ("", "/sessions/ses_1/end", "/keys"),
            ("", "/demo", "/"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost:1"));
            headers.insert(REFERER, HeaderValue::from_static(referer));
            assert_eq!(to_form(&headers, target), to, "{referer} {target}");
        }
    }
}
