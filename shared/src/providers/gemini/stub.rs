//! A server for tests: gives the answers of a list, in order, and keeps what
//! it was asked. For answers that no honest server gives.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Gemini, GeminiConfig, RetryPolicy};
use crate::providers::Credential;

/// The key that must not be seen anywhere but in its header.
pub(super) const KEY: &str = "AQ.Ab8RN6-canary_key";

/// What to do with one request.
#[derive(Debug, Clone)]
pub(super) enum Say {
    /// Status, more headers, body. `{base}` in headers is the stub's URL.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// Announce more body than is sent.
    Cut(&'static str),
    /// Begin a body, then nothing for a while.
    Stall(&'static str),
    /// Close without an answer.
    Close,
    /// Never answer.
    Hang,
}

pub(super) fn say(status: u16, body: impl ToString) -> Say {
    Say::Answer(status, Vec::new(), body.to_string())
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Method and target.
    pub line: String,
    /// Head, in lower case.
    pub head: String,
    pub body: String,
}

pub(super) struct Stub {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    pub fn new(script: Vec<Say>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, base) = (Arc::clone(&asked), url.clone());
        std::thread::spawn(move || {
            let mut script = script.into_iter();
            for stream in listener.incoming().map_while(Result::ok) {
                if let Some(request) = read(&stream) {
                    seen.lock().unwrap().push(request);
                    let next = script.next().unwrap_or_else(|| say(500, "end of script"));
                    answer(stream, &base, next);
                }
            }
        });
        Self { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|a| a.line).collect()
    }

    /// A client of this server, quick in everything.
    pub fn client(&self) -> Gemini {
        Gemini::new(quick(&self.url)).unwrap()
    }
}

pub(super) fn quick(url: &str) -> GeminiConfig {
    let ms = Duration::from_millis;
    GeminiConfig {
        base_url: url.to_owned(),
        connect_timeout: ms(1000),
        request_timeout: ms(1000),
        create_timeout: ms(1000),
        chunk_timeout: ms(1000),
        read_timeout: ms(1000),
        chunk_size: 4,
        retry: RetryPolicy {
            attempts: 3,
            base: ms(1),
            cap: ms(1500),
        },
        file_poll: ms(1),
        file_wait: ms(300),
        max_list_pages: 5,
        ..GeminiConfig::default()
    }
}

pub(super) fn credential() -> Credential {
    Credential {
        id: "cred_1".to_owned(),
        secret: KEY.into(),
    }
}

fn read(mut stream: &TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    };
    let raw = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let head = raw.to_lowercase();
    let length: usize = head
        .lines()
        .find_map(|l| l.strip_prefix("content-length: "))
        .map_or(0, |n| n.trim().parse().unwrap());
    while bytes.len() < head_end + length {
        match stream.read(&mut piece).ok()? {
            0 => return None,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let line = raw.lines().next().unwrap_or_default();
    Some(Asked {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        head,
        body: String::from_utf8_lossy(&bytes[head_end..]).into_owned(),
    })
}

fn answer(mut stream: TcpStream, base: &str, what: Say) {
    let text = match &what {
        Say::Answer(status, headers, body) => {
            let headers: String = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}\r\n", value.replace("{base}", base)))
                .collect();
            let length = body.len();
            format!(
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
        }
        Say::Cut(body) | Say::Stall(body) => {
            format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{body}")
        }
        Say::Close | Say::Hang => String::new(),
    };
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.flush();
    if matches!(what, Say::Stall(_) | Say::Hang) {
        // Keeps the connection; the next request comes on another one.
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(5));
            drop(stream);
        });
    }
}
