//! `/files`.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::FileId;
use stt_eval_shared::domain::validate::Errors;
use utoipa::IntoParams;

use super::{split, start};
use crate::auth::{AsEditor, AsViewer, Tenant};
use crate::body;
use crate::dto::files::{
    Announced, AnnouncedFiles, FileView, FilesMade, NewFile, NewFiles, UploadForm,
};
use crate::envelope::{Deleted, Envelope, ListEnvelope, list, ok, one};
use crate::error::{Answer, ApiError, finish};
use crate::handlers;
use crate::id::PathId;
use crate::idempotency::{Begun, Idempotency, IdempotencyHeader, deleted_since, made_ids};
use crate::json;
use crate::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::routes::gather::Gather;
use crate::services::uploads::MAX_FILES;
use crate::services::{deletion, inline, signing, uploads};

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

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
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
    /// Most items of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

impl FromQuery for FilesQuery {
    const NAMES: &'static [&'static str] = &["include_signed_url", "limit", "cursor"];

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        let Paging { limit, cursor } = pairs.paging()?;
        Ok(Self {
            include_signed_url: pairs.flag("include_signed_url", false)?,
            limit,
            cursor,
        })
    }
}

/// Lists files, newest first.
#[utoipa::path(get, path = "/files", tag = "files", operation_id = "list_files", params(FilesQuery),
    responses((status = 200, description = "A page of files", body = ListEnvelope<FileView>)))]
async fn index(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<FilesQuery>,
) -> Answer {
    let cursors = tenant.cursors("files", &[]);
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    let after = start(&cursors, &paging)?;
    let found = app
        .store
        .list_files(&tenant.project, after.as_deref(), paging.limit)
        .await?;
    let (files, meta) = split(&cursors, &paging, found);
    let (app, signed) = (&app, query.include_signed_url);
    let views = files.into_iter().map(|file| async move {
        let url = signing::file_url(app, &file, signed).await;
        FileView::new(file, url)
    });
    list(futures::future::join_all(views).await, meta)
}

/// Announces files to be uploaded, or takes a small one.
///
/// With JSON: announces one file, or up to 100 under `files`, and answers with
/// a signed PUT for each. With `multipart/form-data`: takes one file of at most
/// 4 MiB in the part `file`, and answers with the registered file.
#[utoipa::path(post, path = "/files", tag = "files", operation_id = "create_files",
    params(IdempotencyHeader),
    request_body(content((NewFiles = "application/json"), (UploadForm = "multipart/form-data"))),
    responses((status = 201, description = "The files and how to upload them", body = Envelope<FilesMade>)))]
async fn create(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let media = body::media_type(&parts.headers);
    if media == "multipart/form-data" {
        let bytes = body::read(&parts.headers, body, inline::MAX_BODY, inline::ADVICE).await?;
        return take(&app, &tenant, &idempotency, parts, bytes).await;
    }
    if !json::is_json(&media) {
        return Err(ApiError::unsupported(
            "the body must be application/json (an announcement) or multipart/form-data (a small file)",
        ));
    }
    let bytes = body::read(&parts.headers, body, body::MAX_JSON, "1 MiB").await?;
    let new: NewFiles = json::parse(&bytes)?;
    let several = new.files.is_some();
    let attempt = match idempotency.begin(&app, &tenant.project, &bytes).await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => {
            let ids = made_ids(&made)?;
            let files = uploads::announced_before(&app, &tenant.project, &ids).await?;
            return made_answer(status, files, several);
        }
    };
    let announced = async {
        let declared = declared(new)?;
        uploads::announce(&app, &tenant.project, declared, &attempt).await
    };
    let files = attempt.settle(&app, announced.await).await?;
    made_answer(StatusCode::CREATED, files, several)
}

fn made_answer(status: StatusCode, mut files: Vec<Announced>, several: bool) -> Answer {
    if several {
        return one(status, FilesMade::Several(AnnouncedFiles { files }));
    }
    let file = files.pop().ok_or_else(deleted_since)?;
    one(status, FilesMade::One(Box::new(file)))
}

/// Checks what the files are said to be.
fn declared(new: NewFiles) -> Result<Vec<uploads::Declared>, ApiError> {
    let mut errors = Errors::new();
    let NewFiles {
        filename,
        content_type,
        size_bytes,
        checksum_sha256,
        files,
    } = new;
    if let Some(files) = files {
        let single = [
            ("filename", filename.is_some()),
            ("content_type", content_type.is_some()),
            ("size_bytes", size_bytes.is_some()),
            ("checksum_sha256", checksum_sha256.is_some()),
        ];
        for (field, given) in single {
            if given {
                errors.push(field, "belongs into the entries of files");
            }
        }
        if !(1..=MAX_FILES).contains(&files.len()) {
            errors.push(
                "files",
                format!("must have 1 to {MAX_FILES} entries, has {}", files.len()),
            );
        }
        let mut declared = Vec::with_capacity(files.len());
        for (index, file) in files.iter().take(MAX_FILES).enumerate() {
            let file = uploads::declared(&format!("files[{index}]."), &file.0, &mut errors);
            declared.extend(file);
        }
        finish(errors)?;
        return Ok(declared);
    }
    let mut required = |field: &str, given: bool| {
        if !given {
            errors.push(field, "is required");
        }
    };
    required("filename", filename.is_some());
    required("content_type", content_type.is_some());
    required("size_bytes", size_bytes.is_some());
    let declared = match (filename, content_type, size_bytes) {
        (Some(filename), Some(content_type), Some(size_bytes)) => {
            let file = NewFile {
                filename,
                content_type,
                size_bytes,
                checksum_sha256,
            };
            uploads::declared("", &file, &mut errors)
        }
        _ => None,
    };
    finish(errors)?;
    Ok(declared.into_iter().collect())
}

/// Takes a small file.
async fn take(
    app: &App,
    tenant: &Tenant,
    idempotency: &Idempotency,
    parts: http::request::Parts,
    bytes: bytes::Bytes,
) -> Result<Response, ApiError> {
    let attempt = match idempotency.begin(app, &tenant.project, &bytes).await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => {
            let ids: Vec<FileId> = made_ids(&made)?;
            let files = uploads::announced_before(app, &tenant.project, &ids).await?;
            return made_answer(status, files, false);
        }
    };
    let kept = async {
        let inline = inline::read(parts, bytes).await?;
        inline::keep(app, &tenant.project, inline, &attempt).await
    };
    let file = attempt.settle_refused(app, kept.await).await?;
    let made = Announced {
        file: FileView::new(file, None),
        upload: None,
    };
    made_answer(StatusCode::CREATED, vec![made], false)
}

/// Shows a file.
#[utoipa::path(get, path = "/files/{id}", tag = "files", operation_id = "get_file",
    params(("id" = FileId, Path, description = "Id of the file"), FileQuery),
    responses((status = 200, description = "The file", body = Envelope<FileView>)))]
async fn show(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<FileQuery>,
    id: PathId<FileId>,
) -> Answer {
    let id = id.get()?;
    let found = app.store.file(&tenant.project, id).await?;
    let file = found.ok_or_else(|| ApiError::no_such("file"))?;
    let url = signing::file_url(&app, &file, query.include_signed_url).await;
    ok(FileView::new(file, url))
}

/// Deletes a file that no dataset uses.
#[utoipa::path(delete, path = "/files/{id}", tag = "files", operation_id = "delete_file",
    params(("id" = FileId, Path, description = "Id of the file")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<FileId>>)))]
async fn delete(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<FileId>,
) -> Answer {
    let id = id.get()?;
    deletion::file(&app, &tenant.project, id).await?;
    ok(Deleted { id, deleted: true })
}
