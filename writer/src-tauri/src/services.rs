//! Which Extrophi the Writer speaks to: one that was chosen, one that runs on this machine, or one that we start.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, Method,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde::{Deserialize, Serialize};
use tokio::{
    process::Command,
    sync::oneshot,
    time::{sleep, timeout},
};
use url::{Host, Url};

use crate::{
    home::{self, Up},
    problem::{Problem, Result},
    remembered::{Memory, Started},
    secrets,
};

const DEFAULT_PORT: u16 = 8000;
const LOOK: Duration = Duration::from_millis(150);
/// For one that says who it is.
const ANSWER: Duration = Duration::from_secs(10);

/// What the Writer may send. The key is ours to add, and all else is the network's.
const SENT: [&str; 7] =
    ["accept", "content-type", "if-match", "if-none-match", "last-event-id", "x-request-id", "idempotency-key"];

#[derive(Debug, Clone)]
struct Server {
    base: Url,
    key: Option<String>,
    /// This machine's own, which may come back at another port.
    here: bool,
}

/// What becomes of a connection, as the page is told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Connection {
    /// There is an Extrophi to speak to, as far as is known without asking it.
    Ready { base: String, here: bool },
    /// This machine's is being started; `Progress` tells how it goes.
    Starting,
    /// The person has to choose.
    Choose {
        /// The address that a key is needed for.
        base: Option<String>,
        /// Why it has to be chosen, when that is not plain.
        problem: Option<Problem>,
    },
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Progress {
    /// A line that `extrophi up` said.
    Said {
        line: String,
    },
    Ready {
        base: String,
    },
    Failed {
        problem: Problem,
    },
}

/// What came of giving an address and a key.
#[derive(Debug, Serialize)]
pub struct Connected {
    base: String,
    /// False: no keychain answers, so the key is asked for at the next start.
    key_kept: bool,
}

/// A question of the page, as it gives it.
#[derive(Debug, Deserialize)]
pub struct Asked {
    pub id: u64,
    method: String,
    /// Path and query.
    path: String,
    headers: Vec<(String, String)>,
}

pub struct Services {
    client: Client,
    /// By no proxy: for what is on this machine.
    direct: Client,
    server: Mutex<Option<Server>>,
    asking: Mutex<HashMap<u64, oneshot::Sender<()>>>,
    /// The folder of this machine's Extrophi.
    home: PathBuf,
    /// Where the output of the one that we start goes.
    log: PathBuf,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Services {
    pub fn new(home: PathBuf, log: PathBuf) -> std::result::Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .user_agent(concat!("extrophi-desktop/", env!("CARGO_PKG_VERSION")))
                // A redirect would take the key to wherever it leads.
                .redirect(Policy::none())
                .connect_timeout(Duration::from_secs(5))
                // The server closes what was idle for 5 s: a request must not be sent as it does.
                .pool_idle_timeout(Duration::from_secs(2))
        };
        let (client, direct) = (builder().build()?, builder().no_proxy().build()?);
        Ok(Self { client, direct, server: Mutex::new(None), asking: Mutex::new(HashMap::new()), home, log })
    }

    /// Find an Extrophi, without waiting for one. What has to be started is: `start` says so.
    pub async fn find(&self, memory: &Memory) -> (Connection, Option<PathBuf>) {
        let remembered = memory.get();
        let program = find_program(remembered.program.as_deref());
        if let Some(base) = remembered.server {
            return (self.find_chosen(&base, remembered.has_key).await, None);
        }
        match home::running(&self.home) {
            Some(up) if up.is_ready() => {
                self.own(&up, memory);
                return (self.speak_to(&up), None);
            }
            Some(up) if up.state == "starting" => return (Connection::Starting, program),
            _ => (),
        }
        if let (true, Some(program)) = (remembered.starts, program) {
            return (Connection::Starting, Some(program));
        }
        let choose = Connection::Choose { base: None, problem: None };
        (choose, None)
    }

    async fn find_chosen(&self, base: &str, has_key: bool) -> Connection {
        let choose = |problem: Option<Problem>| Connection::Choose { base: Some(base.to_owned()), problem };
        let Ok(url) = read_address(base) else {
            return choose(None);
        };
        let key = if has_key { secrets::read(base).await } else { None };
        if has_key && key.is_none() {
            return choose(Some(no_keychain()));
        }
        *held(&self.server) = Some(Server { base: url, key, here: false });
        Connection::Ready { base: base.to_owned(), here: false }
    }

    fn speak_to(&self, up: &Up) -> Connection {
        let base = up.base();
        *held(&self.server) = Url::parse(&base).ok().map(|base| Server { base, key: None, here: true });
        Connection::Ready { base, here: true }
    }

    /// Test an address and a key, speak to what is there from now on, and remember it.
    pub async fn connect(&self, address: &str, key: Option<&str>, memory: &Memory) -> Result<Connected> {
        let base = read_address(address)?;
        let key = match key.map(str::trim) {
            None | Some("") => None,
            Some(key) if key.bytes().all(|byte| byte.is_ascii_graphic()) => Some(key.to_owned()),
            Some(_) => return Err(wrong_key()),
        };
        let server = Server { base, key, here: false };
        self.test(&server).await?;
        let name = name_of(&server.base);
        let key_kept = match &server.key {
            Some(key) => secrets::keep(&name, key).await,
            None => {
                secrets::forget(&name).await;
                true
            }
        };
        memory.change(|one| {
            one.server = Some(name.clone());
            one.has_key = server.key.is_some();
        })?;
        *held(&self.server) = Some(server);
        Ok(Connected { base: name, key_kept })
    }

    /// Whether an Extrophi is there, and lets us in.
    async fn test(&self, server: &Server) -> Result<()> {
        // Who is there needs no key to say so; until then nobody gets it.
        let open = Server { key: None, ..server.clone() };
        let health = timeout(ANSWER, self.send(&open, Method::GET, "/health", HeaderMap::new(), Vec::new()))
            .await
            .map_err(|_| Problem::unreachable(format!("Nothing answers at {} in time.", server.base)))??;
        let told: serde_json::Value =
            if health.status().is_success() { health.json_body().await } else { serde_json::Value::Null };
        if told["components"].is_null() {
            return Err(Problem::new(
                422,
                "no_extrophi",
                "That is no Extrophi",
                format!("Something answers at {}, but it is no Extrophi.", server.base),
            )
            .with_hint("Check the address and its port: 8000, if nobody chose another."));
        }
        let seen = self.send(server, Method::GET, "/api/stats", HeaderMap::new(), Vec::new()).await?;
        match seen.status().as_u16() {
            401 if server.key.is_none() => {
                Err(Problem::new(401, "key_needed", "A key is needed", "This Extrophi opens to those who have a key.")
                    .with_hint("Ask the person who runs it, or look into the log of its start."))
            }
            401 => Err(wrong_key()),
            status if status >= 500 => Err(Problem::new(
                status,
                "not_ready",
                "It is not ready",
                "Extrophi is there, but parts of it do not answer yet.",
            )
            .with_hint("Wait a moment, and try again.")),
            status if status >= 400 => Err(Problem::new(
                status,
                "refused",
                "It does not let us in",
                format!("Extrophi answered with status {status}."),
            )),
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        server: &Server,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer> {
        if let Some(key) = &server.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| wrong_key())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = if is_here(&server.base) { &self.direct } else { &self.client };
        let mut request = client.request(method, address(&server.base, path)?).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await.map_err(|error| Problem::unreachable(said(&server.base, &error)))?;
        Ok(Answer(response))
    }

    /// Pass a question of the page on to the Extrophi that it speaks to, and to no other. Until it is stopped.
    pub async fn ask(&self, asked: Asked, body: Vec<u8>) -> Result<(Answer, oneshot::Receiver<()>)> {
        let Some(server) = held(&self.server).clone() else {
            return Err(Problem::unreachable("Extrophi does not run yet."));
        };
        let method = Method::from_bytes(asked.method.as_bytes())
            .map_err(|_| Problem::new(422, "bad_request", "That is no request", "It has no method."))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &asked.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value))
                && SENT.contains(&name.as_str())
            {
                headers.insert(name, value);
            }
        }
        let (stop, mut stopped) = oneshot::channel();
        held(&self.asking).insert(asked.id, stop);
        let sent = self.send(&server, method, &asked.path, headers, body);
        let answer = tokio::select! {
            answer = sent => answer,
            _ = &mut stopped => Err(stopped_asking()),
        };
        if answer.is_err() {
            self.answered(asked.id);
            if server.here {
                self.look_again();
            }
        }
        Ok((answer?, stopped))
    }

    pub fn answered(&self, id: u64) {
        held(&self.asking).remove(&id);
    }

    /// Nobody waits for the answer any more.
    pub fn cancel(&self, id: u64) {
        if let Some(stop) = held(&self.asking).remove(&id) {
            let _ = stop.send(()); // else it was answered just now
        }
    }

    pub fn cancel_all(&self) {
        held(&self.asking).clear(); // who waits for a stop that is gone stops, too
    }

    /// This machine's may have been started anew, at another port.
    fn look_again(&self) {
        if let Some(up) = home::running(&self.home).filter(Up::is_ready) {
            self.speak_to(&up);
        }
    }

    /// Start this machine's Extrophi by the `extrophi` command, and tell how it goes. One that another starts is waited for.
    pub async fn start(&self, program: Option<&Path>, memory: &Memory, tell: impl Fn(Progress)) {
        let outcome = self.start_and_wait(program, memory, &tell).await;
        tell(match outcome {
            Ok(base) => Progress::Ready { base },
            Err(problem) => Progress::Failed { problem },
        });
    }

    async fn start_and_wait(
        &self,
        program: Option<&Path>,
        memory: &Memory,
        tell: &impl Fn(Progress),
    ) -> Result<String> {
        let mut child = None;
        let mut output = Output::default();
        if home::running(&self.home).is_none() {
            let program = program.ok_or_else(no_program)?;
            let log = self.make_log()?;
            let mut command = Command::new(program);
            command
                .args(["up", "--port", &free_port().to_string()])
                .env("NO_COLOR", "1")
                .stdin(Stdio::null())
                .stdout(log.try_clone().map_err(|error| Problem::disk(&self.log, &error))?)
                .stderr(log);
            // Its own group: what is typed in our terminal is not meant for it.
            #[cfg(unix)]
            command.process_group(0);
            let spawned = command.spawn().map_err(|error| {
                Problem::new(500, "not_started", "Extrophi did not start", format!("{}: {error}.", program.display()))
                    .with_hint("Choose the extrophi command of your clone, or connect to one that runs.")
            })?;
            child = Some(spawned);
            output = Output::of(&self.log);
        }
        loop {
            for line in output.new_lines() {
                tell(Progress::Said { line });
            }
            if let Some(up) = home::running(&self.home).filter(Up::is_ready) {
                let ours = child.as_ref().and_then(tokio::process::Child::id);
                if ours.is_some_and(|pid| i32::try_from(pid) == Ok(up.pid)) {
                    self.note(&up, memory)?;
                } else {
                    self.own(&up, memory);
                }
                memory.change(|one| {
                    one.server = None;
                    one.starts = true;
                    if let Some(program) = program {
                        one.program = Some(program.to_path_buf());
                    }
                })?;
                self.speak_to(&up);
                return Ok(up.base());
            }
            let ended = match &mut child {
                Some(child) => child.try_wait().ok().flatten().is_some(),
                None => home::running(&self.home).is_none(),
            };
            if ended && home::running(&self.home).is_none() {
                for line in output.new_lines() {
                    tell(Progress::Said { line });
                }
                return Err(self.not_started(&output));
            }
            sleep(LOOK).await;
        }
    }

    fn make_log(&self) -> Result<File> {
        let failed = |error: std::io::Error| Problem::disk(&self.log, &error);
        if let Some(folder) = self.log.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        File::create(&self.log).map_err(failed)
    }

    fn not_started(&self, output: &Output) -> Problem {
        let told = home::told(&self.home).filter(|up| up.state == "failed");
        let (error, hint) = told.map_or((None, None), |up| (up.error, up.hint));
        let detail = error.or_else(|| output.last.clone()).unwrap_or_else(|| "It ended without a word.".to_owned());
        Problem::new(500, "not_started", "Extrophi did not start", detail)
            .with_hint(hint.unwrap_or_else(|| format!("The log is {}.", self.log.display())))
    }

    /// The one that we started is ours to end, also when we were killed meanwhile.
    fn note(&self, up: &Up, memory: &Memory) -> Result<()> {
        let started = up.born.clone().map(|born| Started { pid: up.pid, born });
        memory.change(|one| one.started = started)
    }

    /// Forget one that we started and that is gone.
    fn own(&self, up: &Up, memory: &Memory) {
        if !is_ours(up, memory) {
            // What cannot be written now is seen for what it is at the next start.
            let _ = memory.change(|one| one.started = None);
        }
    }

    /// End this machine's Extrophi if the program started it. It goes on by itself to its end.
    pub fn end(&self, memory: &Memory) {
        let Some(up) = home::running(&self.home).filter(|up| is_ours(up, memory)) else {
            return;
        };
        #[cfg(unix)]
        if let Some(pid) = rustix::process::Pid::from_raw(up.pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        #[cfg(not(unix))]
        let _ = up; // `extrophi up` runs on Unix alone
        let _ = memory.change(|one| one.started = None);
    }
}

/// What Extrophi answered.
pub struct Answer(reqwest::Response);

impl Answer {
    fn status(&self) -> reqwest::StatusCode {
        self.0.status()
    }

    async fn json_body(self) -> serde_json::Value {
        let bytes = self.0.bytes().await.unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    pub fn head(&self) -> (u16, Vec<(String, String)>) {
        let headers = self.0.headers().iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        (self.0.status().as_u16(), headers.collect())
    }

    /// Whether it comes bit by bit, and is wanted as it comes.
    pub fn is_stream(&self) -> bool {
        let kind = self.0.headers().get(reqwest::header::CONTENT_TYPE);
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
    }

    /// The next bytes; None at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let chunk =
            self.0.chunk().await.map_err(|error| Problem::unreachable(format!("The answer broke off: {error}.")))?;
        Ok(chunk.map(|bytes| bytes.to_vec()))
    }
}

/// What a started `up` says, as it says it.
#[derive(Default)]
struct Output {
    file: Option<File>,
    read: u64,
    begun: String,
    last: Option<String>,
}

impl Output {
    fn of(log: &Path) -> Self {
        Self { file: File::open(log).ok(), ..Self::default() }
    }

    fn new_lines(&mut self) -> Vec<String> {
        let Some(file) = &mut self.file else {
            return Vec::new();
        };
        let mut bytes = Vec::new();
        if file.seek(SeekFrom::Start(self.read)).is_err() {
            return Vec::new();
        }
        let Ok(count) = file.read_to_end(&mut bytes) else {
            return Vec::new();
        };
        self.read += count as u64;
        self.begun.push_str(&String::from_utf8_lossy(&bytes));
        let mut found = Vec::new();
        while let Some((line, rest)) = self.begun.split_once('\n') {
            let line = line.trim().to_owned();
            self.begun = rest.to_owned();
            if !line.is_empty() {
                self.last = Some(line.clone());
                found.push(line);
            }
        }
        found
    }
}

fn is_ours(up: &Up, memory: &Memory) -> bool {
    memory.get().started.is_some_and(|started| started.pid == up.pid && up.born.as_ref() == Some(&started.born))
}

/// The `extrophi` command: where the person showed it, or on the way that programs are found.
pub fn find_program(shown: Option<&Path>) -> Option<PathBuf> {
    let found: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).map(|folder| folder.join("extrophi")).collect())
        .unwrap_or_default();
    shown.map(Path::to_path_buf).into_iter().chain(found).find(|path| is_program(path))
}

pub fn is_program(path: &Path) -> bool {
    let Ok(found) = fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    found.is_file() && may_run
}

/// The usual port, or another when somebody has that one.
fn free_port() -> u16 {
    let bound =
        TcpListener::bind((Ipv4Addr::LOCALHOST, DEFAULT_PORT)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    bound.and_then(|listener| listener.local_addr()).map_or(DEFAULT_PORT, |address| address.port())
}

/// An address as a person types it: `example.org:8000`, `https://example.org/extrophi/`.
fn read_address(typed: &str) -> Result<Url> {
    let typed = typed.trim();
    let wrong = || {
        Problem::new(422, "no_address", "That is no address", format!("{typed:?} is no address of an Extrophi."))
            .with_hint("It looks like https://extrophi.example.org or http://192.168.1.5:8000")
    };
    let parsed = |scheme: &str| Url::parse(&format!("{scheme}{typed}")).map_err(|_| wrong());
    let url = match typed.contains("://") {
        true => parsed("")?,
        // A key is not sent in the clear unless one asks for it.
        false => Some(parsed("http://")?).filter(is_here).map_or_else(|| parsed("https://"), Ok)?,
    };
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if is_plain { Ok(url) } else { Err(wrong()) }
}

/// Whether it is this machine's.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn name_of(base: &Url) -> String {
    base.as_str().trim_end_matches('/').to_owned()
}

/// Where a question goes. Whatever its path says, it goes to the Extrophi at `base`.
fn address(base: &Url, path: &str) -> Result<Url> {
    let wrong = || Problem::new(422, "bad_request", "That is no request", "Its path is none of Extrophi's.");
    if !path.starts_with('/') || path.starts_with("//") || path.contains('\\') {
        return Err(wrong());
    }
    let url = Url::parse(&format!("{}{path}", name_of(base))).map_err(|_| wrong())?;
    let stays = url.origin() == base.origin()
        && url.username().is_empty()
        && url.path().starts_with(&format!("{}/", base.path().trim_end_matches('/')));
    if stays { Ok(url) } else { Err(wrong()) }
}

fn said(base: &Url, error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("{base} does not answer in time.");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    format!("Nothing answers at {base}: {cause}.")
}

fn wrong_key() -> Problem {
    Problem::new(401, "wrong_key", "The key does not fit", "Extrophi does not know this key.")
        .with_hint("Check that it is whole, without spaces at its ends.")
}

fn no_keychain() -> Problem {
    Problem::new(
        401,
        "no_keychain",
        "The key has to be given again",
        "The system's keychain does not answer, or the key is not in it any more.",
    )
    .with_hint("Install one (GNOME Keyring, KWallet) to have the key kept. It is never written into a file.")
}

fn no_program() -> Problem {
    Problem::new(
        404,
        "no_program",
        "Extrophi is not found",
        "There is no extrophi command on this computer's search path.",
    )
    .with_hint("Show where it is: in the folder of your clone.")
}

fn stopped_asking() -> Problem {
    Problem::new(499, "stopped", "It was stopped", "Nobody waits for the answer any more.")
}

#[cfg(test)]
mod tests {
    use super::{Output, address, name_of, read_address};

    #[test]
    fn addresses_are_read_as_people_type_them() {
        for (typed, wanted) in [
            ("localhost:8000", "http://localhost:8000"),
            (" https://example.org/ ", "https://example.org"),
            ("https://example.org/extrophi/", "https://example.org/extrophi"),
            ("example.org", "https://example.org"),
            ("192.168.1.5:8000", "https://192.168.1.5:8000"),
            ("http://192.168.1.5:8000", "http://192.168.1.5:8000"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("127.evil.example", "https://127.evil.example"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            assert_eq!(read_address(typed).map(|url| name_of(&url)).unwrap(), wanted);
        }
        for typed in [
            "",
            "   ",
            "file:///etc/passwd",
            "ftp://example.org",
            "http://",
            "javascript:alert(1)",
            "http://me:key@example.org",
            "http://example.org/?a=b",
            "http://example.org/#a",
            "no address at all",
        ] {
            assert!(read_address(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn no_path_leads_to_another_server() {
        let base = read_address("https://example.org/extrophi").unwrap();
        assert_eq!(
            address(&base, "/api/drafts?limit=1").unwrap().as_str(),
            "https://example.org/extrophi/api/drafts?limit=1"
        );
        for path in [
            "",
            "api",
            "//evil.example/",
            "@evil.example/",
            ".evil.example/",
            ":80/",
            "/../../",
            "/../extrophi-other/x",
            "/\\evil.example",
            "https://evil.example/",
        ] {
            assert!(address(&base, path).is_err(), "{path}");
        }
    }

    #[test]
    fn lines_are_told_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("up.log");
        std::fs::write(&log, "one\ntw").unwrap();
        let mut output = Output::of(&log);
        assert_eq!(output.new_lines(), ["one"]);
        std::fs::write(&log, "one\ntwo\n\n").unwrap();
        assert_eq!(output.new_lines(), ["two"]);
        assert!(output.new_lines().is_empty());
    }
}
