//! All that the page may have done on the machine. Each command takes ids and addresses, never paths.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tauri::{
    AppHandle, Manager, Runtime, State, Webview, WebviewWindow,
    ipc::{Channel, InvokeBody, InvokeResponseBody, JavaScriptChannelId, Request, Response},
};
use tauri_plugin_dialog::{DialogExt, FilePath};
use tokio::sync::oneshot;
use url::Url;

use crate::{
    drafts::{Drafts, FileDraft, ReadDraft},
    notices::{Notice, Notices},
    problem::{Problem, Result},
    remembered::Memory,
    services::{Answer, Asked, Connected, Connection, Services, find_program, is_program},
};

/// Files that were opened by themselves are remembered so far back.
const OPENED: usize = 50;

pub fn all() -> impl Fn(tauri::ipc::Invoke) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        listen,
        find,
        start,
        choose_program,
        connect,
        ask,
        cancel,
        open_outside,
        save_file,
        leave,
        folder,
        choose_folder,
        list_drafts,
        read_draft,
        write_draft,
        create_draft,
        put_image,
        read_image
    ]
}

/// Tell the page from now on.
#[tauri::command]
fn listen(channel: Channel<Notice>, notices: State<'_, Notices>, services: State<'_, Services>) {
    services.cancel_all(); // what a page before this one asked
    notices.listen(channel);
}

/// Find an Extrophi, at once. This machine's is started where the person wants it to be.
#[tauri::command]
async fn find(app: AppHandle, services: State<'_, Services>, memory: State<'_, Memory>) -> Result<Connection> {
    let (connection, program) = services.find(&memory).await;
    if matches!(connection, Connection::Starting) {
        begin(app, program);
    }
    Ok(connection)
}

/// Start this machine's Extrophi, at the person's word.
#[tauri::command]
fn start(app: AppHandle, program: Option<PathBuf>, memory: State<'_, Memory>) -> Result<()> {
    if let Some(program) = &program
        && !(program.is_absolute() && program.ends_with("extrophi") && is_program(program))
    {
        return Err(Problem::new(
            422,
            "no_program",
            "That is not Extrophi",
            format!("{} is no extrophi command.", program.display()),
        )
        .with_hint("It is called extrophi, and lies in the folder of your clone."));
    }
    let program = program.or_else(|| find_program(memory.get().program.as_deref()));
    begin(app, program);
    Ok(())
}

fn begin(app: AppHandle, program: Option<PathBuf>) {
    tauri::async_runtime::spawn(async move {
        let (services, memory, notices) = (app.state::<Services>(), app.state::<Memory>(), app.state::<Notices>());
        let tell = |progress| notices.tell(Notice::Service { progress });
        services.start(program.as_deref(), &memory, tell).await;
    });
}

/// Where the `extrophi` command is, as the person shows it. Nothing is started by that.
#[tauri::command]
async fn choose_program(window: WebviewWindow) -> Option<PathBuf> {
    let dialog = window.dialog().file().set_parent(&window);
    chosen(|answer| dialog.pick_file(answer)).await
}

/// Connect to the Extrophi at an address, which is tested before it is kept.
#[tauri::command]
async fn connect(
    address: String,
    key: Option<String>,
    services: State<'_, Services>,
    memory: State<'_, Memory>,
) -> Result<Connected> {
    services.connect(&address, key.as_deref(), &memory).await
}

/// A question to Extrophi. What it asks is in the header `asked`, the body is the body.
///
/// Answers with the head's length (4 bytes), the head (JSON) and the body; of a stream of events the body comes by the
/// channel that was named, ended by an empty message, or by `null` when it broke off.
#[tauri::command]
async fn ask<R: Runtime>(webview: Webview<R>, request: Request<'_>, services: State<'_, Services>) -> Result<Response> {
    let asked: Asked = header(&request, "asked")?;
    let id = asked.id;
    let channel: Option<String> = header(&request, "channel")?;
    let (mut answer, mut stopped) = services.ask(asked, body(&request)).await?;
    let (status, headers) = answer.head();
    let mut bytes = head(&serde_json::json!({ "status": status, "headers": headers, "stream": answer.is_stream() }));
    if let (true, Some(channel)) = (answer.is_stream(), channel) {
        let channel: Channel<InvokeResponseBody> =
            JavaScriptChannelId::from_str(&channel).map_err(|_| wrong_request())?.channel_on(webview.clone());
        let app = webview.app_handle().clone();
        tauri::async_runtime::spawn(async move {
            pass_on(answer, stopped, &channel).await;
            app.state::<Services>().answered(id);
        });
        return Ok(Response::new(bytes));
    }
    let read = async {
        while let Some(chunk) = answer.next().await? {
            bytes.extend(chunk);
        }
        Ok(Response::new(bytes))
    };
    let whole = tokio::select! {
        whole = read => whole,
        _ = &mut stopped => Err(wrong_request()),
    };
    services.answered(id);
    whole
}

async fn pass_on(mut answer: Answer, mut stopped: oneshot::Receiver<()>, channel: &Channel<InvokeResponseBody>) {
    loop {
        let next = tokio::select! {
            next = answer.next() => next,
            _ = &mut stopped => return,
        };
        let (message, is_last) = match next {
            Ok(Some(bytes)) if bytes.is_empty() => continue,
            Ok(Some(bytes)) => (InvokeResponseBody::Raw(bytes), false),
            Ok(None) => (InvokeResponseBody::Raw(Vec::new()), true),
            Err(_) => (InvokeResponseBody::Json("null".to_owned()), true),
        };
        if channel.send(message).is_err() || is_last {
            return;
        }
    }
}

/// Nobody waits for this answer any more.
#[tauri::command]
fn cancel(id: u64, services: State<'_, Services>) {
    services.cancel(id);
}

/// Open an address in the system's browser or mail program. What was collected may hold any: most are refused.
#[tauri::command]
fn open_outside(address: &str) -> Result<()> {
    let refused =
        || Problem::new(422, "not_opened", "It is not opened", "Only addresses of the web and of mail are opened.");
    let url = Url::parse(address).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https" | "mailto") {
        return Err(refused());
    }
    tauri_plugin_opener::open_url(url.as_str(), None::<&str>).map_err(|error| {
        Problem::new(500, "not_opened", "It is not opened", format!("The system opens no browser: {error}."))
    })
}

/// Save bytes where the person wants them. False: they thought better of it.
#[tauri::command]
async fn save_file(window: WebviewWindow, request: Request<'_>) -> Result<bool> {
    let name: String = header(&request, "name")?;
    let bytes = body(&request);
    let name =
        Path::new(&name).file_name().map_or_else(|| "Extrophi".to_owned(), |name| name.to_string_lossy().into_owned());
    let dialog = window.dialog().file().set_parent(&window).set_file_name(name);
    let Some(path) = chosen(|answer| dialog.save_file(answer)).await else {
        return Ok(false);
    };
    crate::drafts::replace(&path, &bytes)?; // what was there stays until the new one is whole
    Ok(true)
}

/// All is saved: the window may close.
#[tauri::command]
fn leave(app: AppHandle) {
    crate::leave(&app);
}

/// The name of the folder of drafts.
#[tauri::command]
fn folder(drafts: State<'_, Drafts>) -> Option<String> {
    drafts.folder().map(|folder| name_of(&folder))
}

/// Let the person choose the folder of drafts; its name.
#[tauri::command]
async fn choose_folder(
    window: WebviewWindow,
    drafts: State<'_, Drafts>,
    memory: State<'_, Memory>,
) -> Result<Option<String>> {
    let dialog = window.dialog().file().set_parent(&window);
    let Some(path) = chosen(|answer| dialog.pick_folder(answer)).await else {
        return Ok(None);
    };
    let root = drafts.choose(&path)?;
    memory.change(|one| one.folder = Some(root.clone()))?;
    watch(window.app_handle());
    Ok(Some(name_of(&root)))
}

#[tauri::command]
async fn list_drafts(app: AppHandle) -> Result<Vec<FileDraft>> {
    on_disk(app, |drafts| drafts.list()).await
}

#[tauri::command]
async fn read_draft(app: AppHandle, id: String) -> Result<ReadDraft> {
    on_disk(app, move |drafts| drafts.read(&id)).await
}

/// Save a draft, unless its file changed since the editor read it (`draft_changed`). Gives the new stamp.
#[tauri::command]
async fn write_draft(app: AppHandle, id: String, text: String, references: Value, seen: String) -> Result<String> {
    on_disk(app, move |drafts| drafts.write(&id, &text, &references, &seen)).await
}

#[tauri::command]
async fn create_draft(app: AppHandle, name: String) -> Result<FileDraft> {
    on_disk(app, move |drafts| drafts.create(&name)).await
}

/// Keep an image beside the draft; its name. Its bytes are the body.
#[tauri::command]
async fn put_image(app: AppHandle, request: Request<'_>) -> Result<String> {
    let (id, ending): (String, String) = (header(&request, "id")?, header(&request, "ending")?);
    let bytes = body(&request);
    on_disk(app, move |drafts| drafts.put_image(&id, &bytes, &ending)).await
}

#[tauri::command]
async fn read_image(app: AppHandle, id: String, name: String) -> Result<Response> {
    on_disk(app, move |drafts| drafts.image(&id, &name)).await.map(Response::new)
}

/// Open a file that the system hands us, and remember it. Gives its id.
pub fn open_file(app: &AppHandle, file: &Path) -> Result<String> {
    let drafts = app.state::<Drafts>();
    let id = drafts.open(file)?;
    let opened = drafts.opened();
    app.state::<Memory>().change(|one| {
        one.opened = opened[opened.len().saturating_sub(OPENED)..].to_vec();
    })?;
    watch(app);
    Ok(id)
}

/// Tell the page of what changes in the folder, which may be another since.
pub fn watch(app: &AppHandle) {
    let handle = app.clone();
    let tell = move |id: &str| handle.state::<Notices>().tell(Notice::Changed { id: id.to_owned() });
    if let Err(problem) = app.state::<Drafts>().watch(tell) {
        app.state::<Notices>().tell(Notice::Problem { problem });
    }
}

/// Disks may be slow, or in a network: nothing else waits for them.
async fn on_disk<T: Send + 'static>(
    app: AppHandle,
    what: impl FnOnce(&Drafts) -> Result<T> + Send + 'static,
) -> Result<T> {
    tauri::async_runtime::spawn_blocking(move || what(&app.state::<Drafts>()))
        .await
        .map_err(|error| Problem::new(500, "internal", "The Writer stumbled", error.to_string()))?
}

/// What the person chose in a dialog of the system's. None: nothing.
async fn chosen(show: impl FnOnce(Box<dyn FnOnce(Option<FilePath>) + Send>)) -> Option<PathBuf> {
    let (answer, answered) = oneshot::channel();
    show(Box::new(move |path| {
        let _ = answer.send(path); // nobody waits when the window is gone
    }));
    answered.await.ok().flatten()?.into_path().ok()
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// What a header says: JSON, percent-encoded, as headers hold little.
fn header<T: DeserializeOwned>(request: &Request<'_>, name: &str) -> Result<T> {
    let value = request.headers().get(name).map_or(&b"null"[..], |value| value.as_bytes());
    let text = std::str::from_utf8(value).map_err(|_| wrong_request())?;
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| wrong_request())?;
    serde_json::from_str(&decoded).map_err(|_| wrong_request())
}

fn body(request: &Request<'_>) -> Vec<u8> {
    match request.body() {
        InvokeBody::Raw(bytes) => bytes.clone(),
        InvokeBody::Json(_) => Vec::new(),
    }
}

fn head(told: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(told).unwrap_or_default();
    let length = u32::try_from(json.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], &json].concat()
}

fn wrong_request() -> Problem {
    Problem::new(422, "bad_request", "That is no request", "The Writer asked in a way that is not known here.")
}
