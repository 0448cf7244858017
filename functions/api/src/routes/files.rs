//! `/files`.

use axum::extract::{Request, State};
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::FileId;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope};
use stt_eval_shared::wire::files::{Announced, AnnouncedFiles, FilesMade, NewFiles, UploadForm};
use utoipa::IntoParams;

use crate::http::auth::{AsEditor, AsViewer};
use crate::http::body;
use crate::http::envelope::{list, ok};
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::idempotency::{Idempotency, IdempotencyHeader, Making};
use crate::http::json;
use crate::http::multipart;
use crate::http::paging::Pager;
use crate::http::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::attempt::{Attempt, deleted_since};
use crate::services::files::{inline, reuse, uploads};
use crate::services::{deletion, signing};
use crate::views;

/// The routes of files.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(show, delete))
}

/// What to show of a file.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// With a playback URL.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
}

impl FromQuery for FileQuery {
    const NAMES: &'static [&'static str] = &["include_signed_url"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        Ok(Self {
            include_signed_url: pairs.flag("include_signed_url", false)?,
        })
    }
}

/// Which page of files, and what to show of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilesQuery {
    /// With playback URLs.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
    /// Those that are `ready` and have this SHA-256: 64 hex digits, or base64 of the 32
    /// bytes. At most 20 of one content are found, and none that release 0.1.0 registered.
    #[param(value_type = Option<String>)]
    checksum_sha256: Option<String>,
    /// Most items of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

impl FromQuery for FilesQuery {
    const NAMES: &'static [&'static str] =
        &["include_signed_url", "checksum_sha256", "limit", "cursor"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let Paging { limit, cursor } = pairs.paging()?;
        let checksum = pairs.text("checksum_sha256");
        let checksum = checksum.map(|text| uploads::checksum("checksum_sha256", text));
        Ok(Self {
            include_signed_url: pairs.flag("include_signed_url", false)?,
            checksum_sha256: checksum.transpose()?,
            limit,
            cursor,
        })
    }
}

/// Lists files, newest first; all of them, or those of one content.
#[utoipa::path(get, path = "/files", tag = "files", operation_id = "list_files", params(FilesQuery),
    responses((status = 200, description = "A page of files", body = ListEnvelope<wire::files::File>)))]
async fn index(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<FilesQuery>,
) -> Answer {
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    let checksum = query.checksum_sha256.as_deref();
    let pager = Pager::new(&caller, "files", checksum.as_slice(), paging)?;
    let project = &caller.actor.project;
    let (page, total) = match checksum {
        None => {
            let found = app.store.list_files(project, pager.from(), pager.limit);
            found.await?
        }
        Some(checksum) => reuse::page(&app, project, checksum, pager.from(), pager.limit).await?,
    };
    let meta = pager.meta(total, page.next.as_deref());
    let (app, signed) = (&app, query.include_signed_url);
    let shown = page.items.into_iter().map(|file| async move {
        let url = signing::file_url(app, &file, signed).await;
        views::files::file(file, url)
    });
    list(futures::future::join_all(shown).await, meta)
}

/// Announces files to be uploaded, or takes a small one.
///
/// With JSON: announces one file, or up to 100 under `files`, and answers with
/// a signed PUT for each; with `reuse`, for each whose content is not there already.
/// With `multipart/form-data`: takes one file of at most
/// 4 MiB in the part `file`, and answers with the registered file.
#[utoipa::path(post, path = "/files", tag = "files", operation_id = "create_files",
    params(IdempotencyHeader),
    request_body(content((NewFiles = "application/json"), (UploadForm = "multipart/form-data"))),
    responses((status = 201, description = "The files and how to upload them", body = Envelope<FilesMade>)))]
async fn create(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    request: Request,
) -> Answer {
    let (app, project) = (&app, &caller.actor.project);
    let (parts, body) = request.into_parts();
    let media = body::media_type(&parts.headers);
    if media == "multipart/form-data" {
        let bytes = body::read(&parts.headers, body, inline::MAX_BODY, inline::ADVICE).await?;
        let making = Making::new(app, project, &bytes, StatusCode::CREATED).in_steps();
        let make = async |attempt: Attempt| {
            let form = multipart::read(parts, bytes.clone()).await?;
            let file = inline::keep(app, project, inline::check(form)?, &attempt).await?;
            made(vec![views::files::announced(file, None)], false)
        };
        let show = async |ids: Vec<FileId>| {
            let files = uploads::announced_before(app, project, &ids).await?;
            made(files, false).map(Some)
        };
        return idempotency.once(making, make, show).await;
    }
    if !json::is_json(&media) {
        return Err(Refusal::unsupported(
            "the body must be application/json (an announcement) or multipart/form-data (a small file)",
        ));
    }
    let bytes = body::read(&parts.headers, body, body::MAX_JSON, "1 MiB").await?;
    let new: NewFiles = json::parse(&bytes)?;
    let several = new.files.is_some();
    let make = async |attempt: Attempt| {
        let announced = uploads::check(new)?;
        let files = uploads::announce(app, project, announced, &attempt).await?;
        made(files, several)
    };
    let show = async |ids: Vec<FileId>| {
        let files = uploads::announced_before(app, project, &ids).await?;
        made(files, several).map(Some)
    };
    let making = Making::new(app, project, &bytes, StatusCode::CREATED);
    idempotency.once(making, make, show).await
}

/// The answer in the shape of the request.
fn made(mut files: Vec<Announced>, several: bool) -> Result<FilesMade, Refusal> {
    if several {
        return Ok(FilesMade::Several(AnnouncedFiles { files }));
    }
    let file = files.pop().ok_or_else(deleted_since)?;
    Ok(FilesMade::One(Box::new(file)))
}

/// Shows a file.
#[utoipa::path(get, path = "/files/{id}", tag = "files", operation_id = "get_file",
    params(("id" = FileId, Path, description = "Id of the file"), FileQuery),
    responses((status = 200, description = "The file", body = Envelope<wire::files::File>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<FileQuery>,
    id: PathId<FileId>,
) -> Answer {
    let id = id.get()?;
    let found = app.store.file(&caller.actor.project, id).await?;
    let file = found.ok_or_else(|| Refusal::no_such("file"))?;
    let url = signing::file_url(&app, &file, query.include_signed_url).await;
    ok(views::files::file(file, url))
}

/// Deletes a file that no dataset uses.
#[utoipa::path(delete, path = "/files/{id}", tag = "files", operation_id = "delete_file",
    params(("id" = FileId, Path, description = "Id of the file")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<FileId>>)))]
async fn delete(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<FileId>,
) -> Answer {
    let id = id.get()?;
    deletion::file(&app, &caller.actor.project, id).await?;
    ok(Deleted { id, deleted: true })
}
