//! Signing in and out.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderValue, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};
use secrecy::ExposeSecret;
use stt_eval_html::layout::{Frame, Medium};
use stt_eval_html::sign_in::{Problem, SignIn};
use stt_eval_shared::App;
use stt_eval_shared::access::sessions::LIFETIME;

use super::answer::{HTML, redirect};
use super::form::Form;
use super::place::Place;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::query::Pairs;
use crate::refusal::Refusal;
use crate::services::sessions::{self, NotSignedIn};

/// Where to go after sign-in: a path of this site, or its start.
fn target(next: Option<&str>) -> &str {
    let is_path = |next: &&str| {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.starts_with("/\\")
            && next.bytes().all(|byte| byte.is_ascii_graphic())
    };
    next.filter(is_path).unwrap_or("/")
}

fn page(
    place: Place,
    status: StatusCode,
    (name, next): (&str, &str),
    problem: Option<Problem>,
) -> Answer {
    let page = SignIn {
        frame: Frame {
            title: "Sign in",
            part: None,
            medium: Medium::Site,
            section: None,
            visitor: None,
            unencrypted: !place.is_trustworthy(),
        },
        name,
        next,
        problem,
    };
    let text = page.page().map_err(|e| Refusal::internal(e.to_string()))?;
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    Ok(response)
}

/// Shows the form; one who is signed in is led on.
pub async fn show(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let next = target(query.text("next"));
    if Visit::of(&headers, &app).await?.is_some() {
        return Ok(redirect(next));
    }
    // Where a link leads that was to sign in and did not.
    let link = query.text("link").map(|_| Problem::Link);
    let problem = link.or(query.text("session").map(|told| match told {
        "unsaved" => Problem::Unsaved,
        _ => Problem::Session,
    }));
    page(Place::of(&headers), StatusCode::OK, ("", next), problem)
}

/// The cookie that a browser is told to keep, or to drop.
fn cookie(place: Place, value: &str, seconds: u64) -> Result<HeaderValue, Refusal> {
    let secure = if place.is_trustworthy() {
        " Secure;"
    } else {
        ""
    };
    let text = format!(
        "{}={value}; Path=/;{secure} HttpOnly; SameSite=Lax; Max-Age={seconds}",
        place.cookie_name()
    );
    HeaderValue::from_str(&text).map_err(|_| Refusal::internal("a cookie can't be written"))
}

/// Signs in.
pub async fn submit(State(app): State<App>, headers: HeaderMap, Form(form): Form) -> Answer {
    let place = Place::of(&headers);
    let next = target(form.text("next"));
    let name = form.text("name").unwrap_or_default();
    let key = form.text("key").unwrap_or_default();
    let session = match sessions::begin(&app, key, name).await? {
        Ok(session) => session,
        Err(NotSignedIn::Key) => {
            let status = StatusCode::UNAUTHORIZED;
            return page(place, status, (name, next), Some(Problem::Key));
        }
        Err(NotSignedIn::Name) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return page(place, status, (name, next), Some(Problem::Name));
        }
    };
    let mut response = redirect(next);
    let kept = cookie(place, session.cookie.expose_secret(), LIFETIME.as_secs())?;
    response.headers_mut().insert(SET_COOKIE, kept);
    Ok(response)
}

/// Signs out: the session is gone, here and in the browser. One that is gone already is
/// answered alike.
pub async fn end(State(app): State<App>, headers: HeaderMap) -> Answer {
    if let Some(visit) = Visit::of(&headers, &app).await? {
        let project = &visit.caller.actor.project;
        app.store.delete_session(project, visit.session).await?;
    }
    let mut response = redirect("/sign-in");
    let headers_out = response.headers_mut();
    headers_out.insert(SET_COOKIE, cookie(Place::of(&headers), "", 0)?);
    headers_out.insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\",\"storage\""),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_on_to() {
        for (next, gone_to) in [
            (Some("/runs/x/report?sort=wer"), "/runs/x/report?sort=wer"),
            (Some("//evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("javascript:alert(1)"), "/"),
            (Some("/a\r\nset-cookie: x"), "/"),
            (Some("/\t/evil.example"), "/"),
            (Some(""), "/"),
            (None, "/"),
        ] {
            assert_eq!(target(next), gone_to, "{next:?}");
        }
    }

    #[test]
    fn cookies_are_kept_from_scripts_and_other_sites() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("192.168.1.7"));
        let https = cookie(Place::of(&headers), "v", 43_200).unwrap();
        assert_eq!(
            https,
            "__Host-stt=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200"
        );
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
        let plain = cookie(Place::of(&headers), "", 0).unwrap();
        assert_eq!(plain, "stt=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
