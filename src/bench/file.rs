//! The bench file: read as strictly as a scenario, and checked as far as it can be without touching a board.
//!
//! Paths are relative to the bench file. Ports and sockets need not exist when the file is read; images do.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{Bench, Board, BoardName};
use crate::baud::Baud;
use crate::document::{Cursor, Diagnostic, Document, Entries, Excerpt, Problems, Refusal, Short, Text, given, one_of};
use crate::image::sha256_hex;
use crate::line::{Active, Backend, Bias, Drive, GpioLine, LineConfig};
use crate::plan::units::{parse_baud, parse_duration, show_duration};
use crate::plan::{Effect, PlannedImage};
use crate::port::PortName;
use crate::scenario::{IMAGE_NAME, is_image_name};

/// How late this computer may be where the bench does not say.
pub const HOST_LATE: Duration = Duration::from_millis(1);

/// How long an application may take from a restart to its start-up messages where the bench does not say. Hosts poll it for up to 5 s (arduino), but one saw it still starting (`+CME ERROR:
/// 1120`) for up to about 30 s (mbed): a healthy module must not be taken for one that restarts by itself.
pub const START_UP: Duration = Duration::from_secs(30);

/// The longest start-up time: with more, hardly a restart would go unexplained.
const MAX_START_UP: Duration = Duration::from_secs(600);

/// The highest BCM number on a Raspberry Pi's header.
const MAX_GPIO: u8 = 27;

/// The largest image that is read.
const MAX_IMAGE: u64 = 64 * 1024 * 1024;

/// The longest name of a board: it goes into file names.
const MAX_NAME: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BenchFile {
    format: Text,
    #[serde(default, deserialize_with = "given")]
    host_late: Option<Text>,
    boards: Entries<BoardMap>,
    #[serde(default, deserialize_with = "given")]
    images: Option<Entries<ImageMap>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BoardMap {
    port: Short<UsbMap>,
    #[serde(default, deserialize_with = "given")]
    baud: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    start_up: Option<Text>,
    reset: ResetMap,
    #[serde(default, deserialize_with = "given")]
    allow: Option<Vec<Text>>,
    #[serde(default, rename = "virtual", deserialize_with = "given")]
    control: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct UsbMap {
    usb_serial: Text,
    #[serde(default, deserialize_with = "given")]
    interface: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ResetMap {
    #[serde(default, deserialize_with = "given")]
    backend: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    gpio: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    chip: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    line: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    path: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    drive: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    bias: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    active: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ImageMap {
    path: Text,
    #[serde(default, deserialize_with = "given")]
    sha256: Option<Text>,
}

impl Bench {
    /// Reads a bench file and the images that it names. Touches no port and no line.
    ///
    /// # Errors
    /// Every mistake found, each with its place; at least one.
    pub fn load(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        Document::open(file).map_err(|diagnostic| vec![*diagnostic]).and_then(|document| Self::read(&document))
    }

    /// The same for a text in memory, which is called `file` in messages and whose paths are relative to where `file` would be.
    ///
    /// # Errors
    /// As [`Bench::load`].
    pub fn load_text(file: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        Document::parse(file, text.as_bytes()).map_err(|diagnostic| vec![*diagnostic]).and_then(|document| Self::read(&document))
    }

    fn read(document: &Document) -> Result<Self, Vec<Diagnostic>> {
        if document.root().find("scenario").is_some() && document.root().find("boards").is_none() {
            let problem = document.root().get("scenario").key_problem("this is a scenario, not a bench file");
            return Err(vec![problem.hint("a scenario is named without an option: `evkit-hil run FILE --bench BENCH`")]);
        }
        let mut problems = Problems::default();
        document.refuse_empty_keys(&mut problems);
        if !problems.is_empty() {
            return Err(problems.into_sorted());
        }
        let raw = document.read_as::<BenchFile>().map_err(|diagnostic| vec![*diagnostic])?;
        let root = document.root();
        if &*raw.format != "1" {
            let problem = root.get("format").problem(format!("format {} is not known", &*raw.format));
            return Err(vec![problem.hint("this version reads `format: 1`")]);
        }
        let mut reader = Reader { directory: document.file().parent().unwrap_or(Path::new("")), problems, taken: HashMap::new() };
        let host_late = match &raw.host_late {
            Some(text) => reader.value(root.get("host-late"), text, |text| Ok(parse_duration(text)?)),
            None => Some(HOST_LATE),
        };
        let boards = reader.boards(&raw.boards, root.get("boards"));
        let images = reader.images(raw.images.as_ref(), root.get("images"));
        match host_late {
            Some(host_late) if reader.problems.is_empty() => Ok(Self { file: document.file().to_owned(), boards, images, host_late }),
            _ => Err(reader.problems.into_sorted()),
        }
    }
}

fn start_up(text: &str) -> Result<Duration, Refusal> {
    let time = parse_duration(text)?;
    if time.is_zero() || time > MAX_START_UP {
        let hint = format!("the longest time from a restart to `#SYSSTART`: more than 0, at most {}", show_duration(MAX_START_UP));
        return Err(Refusal::new(format!("a start-up time of {text} is out of range"), hint));
    }
    Ok(time)
}

/// Reading the values of one bench file.
struct Reader<'d> {
    /// What paths are relative to.
    directory: &'d Path,
    problems: Problems,
    /// Ports, lines and sockets that a board has: which board, and where it says so.
    taken: HashMap<String, (String, Excerpt)>,
}

impl Reader<'_> {
    fn value<T>(&mut self, at: Cursor<'_>, text: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        parse(text).map_err(|refusal| self.problems.push(at.refused(refusal))).ok()
    }

    fn word<T: Copy>(&mut self, at: Cursor<'_>, text: Option<&Text>, default: T, what: &str, words: &[(&'static str, T)]) -> Option<T> {
        text.map_or(Some(default), |text| self.value(at, text, |text| one_of(text, what, words)))
    }

    fn path(&mut self, at: Cursor<'_>, text: &str) -> Option<PathBuf> {
        if text.is_empty() {
            self.problems.push(at.problem("an empty path"));
            return None;
        }
        Some(self.directory.join(text))
    }

    fn boards(&mut self, Entries(raw): &Entries<BoardMap>, list: Cursor<'_>) -> Vec<Board> {
        if raw.is_empty() {
            self.problems.push(list.key_problem("there are no boards").hint("give each a name, its `port` and its `reset`"));
        }
        let mut boards = Vec::new();
        for (name, map) in raw {
            let at = list.get(name);
            let fits = name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_alphanumeric());
            if !fits || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
                self.problems.push(at.key_problem(format!("`{name}` cannot be the name of a board")).hint(format!(
                    "it goes into file names: at most {MAX_NAME} letters, digits, `-`, `_` and `.`, a letter or digit first"
                )));
            }
            boards.extend(self.board(name, map, at));
        }
        boards
    }

    fn board(&mut self, name: &str, map: &BoardMap, at: Cursor<'_>) -> Option<Board> {
        let port = self.port(name, &map.port, at.get("port"));
        let baud = match &map.baud {
            Some(text) => self.value(at.get("baud"), text, |text| Ok(parse_baud(text)?)),
            None => Some(Baud::DEFAULT),
        };
        let start_up = match &map.start_up {
            Some(text) => self.value(at.get("start-up"), text, start_up),
            None => Some(START_UP),
        };
        let reset = self.reset(name, &map.reset, at.get("reset"));
        let words = Effect::ALL.iter().map(|effect| (effect.name(), *effect)).collect::<Vec<_>>();
        let list = at.get("allow");
        let allow = map.allow.as_deref().unwrap_or_default().iter().enumerate();
        let allow =
            allow.map(|(index, text)| self.value(list.item(index), text, |text| one_of(text, "an effect", &words))).collect::<Vec<_>>();
        let control = match &map.control {
            Some(text) => {
                let path = self.path(at.get("virtual"), text);
                if let Some(path) = &path {
                    // The same socket may well be the board's own reset line.
                    self.take(name, at.get("virtual"), "virtual board", &format!("control {}", resolved(path)));
                }
                Some(path)
            }
            None => None,
        };
        Some(Board {
            name: BoardName(name.to_owned()),
            line: at.line(),
            port: port?,
            baud: baud?,
            start_up: start_up?,
            reset: reset?,
            allow: allow.into_iter().collect::<Option<Vec<_>>>()?,
            virtual_control: match control {
                Some(path) => Some(path?),
                None => None,
            },
        })
    }

    fn port(&mut self, board: &str, port: &Short<UsbMap>, at: Cursor<'_>) -> Option<PortName> {
        match port {
            Short::Scalar(text) => {
                let path = self.path(at, text)?;
                self.take(board, at, "port", &format!("port {}", resolved(&path)));
                Some(PortName::Path(path))
            }
            Short::Map(map) => {
                let interface = match &map.interface {
                    Some(text) => Some(self.value(at.get("interface"), text, |text| {
                        text.parse::<u8>().map_err(|_| Refusal::new(format!("`{text}` is not an interface"), "a number from 0 to 255"))
                    })?),
                    None => None,
                };
                if map.usb_serial.is_empty() {
                    self.problems.push(at.get("usb-serial").problem("an empty serial number"));
                    return None;
                }
                self.take_usb(board, at, &map.usb_serial, interface);
                Some(PortName::Usb { serial: map.usb_serial.0.clone(), interface })
            }
            Short::Nothing => {
                self.problems.push(
                    at.key_problem("`port` has no value")
                        .hint("a device, `/dev/serial/by-id/…`, or `{ usb-serial: 0123ABCD, interface: 1 }`"),
                );
                None
            }
        }
    }

    /// An adapter without an interface is the whole adapter.
    fn take_usb(&mut self, board: &str, at: Cursor<'_>, serial: &str, interface: Option<u8>) {
        let whole = format!("usb {serial}");
        match interface {
            None => {
                let other =
                    self.taken.iter().find(|(key, _)| key.starts_with(&format!("{whole} ")) || **key == whole).map(|(key, _)| key.clone());
                self.take(board, at, "port", &other.unwrap_or(whole));
            }
            Some(interface) => {
                let key = if self.taken.contains_key(&whole) { whole } else { format!("{whole} {interface}") };
                self.take(board, at, "port", &key);
            }
        }
    }

    /// Notes that a board has something; complains when another has it.
    fn take(&mut self, board: &str, at: Cursor<'_>, what: &str, key: &str) {
        if let Some((other, excerpt)) = self.taken.get(key) {
            self.problems.push(
                at.problem(format!("`{board}` and `{other}` have the same {what}"))
                    .label(format!("of `{board}`"))
                    .related(at.document().file(), excerpt.clone(), format!("of `{other}`"))
                    .hint("two boards share nothing; links to one device are one device"),
            );
        } else {
            self.taken.insert(key.to_owned(), (board.to_owned(), at.excerpt()));
        }
    }

    fn reset(&mut self, board: &str, map: &ResetMap, at: Cursor<'_>) -> Option<LineConfig> {
        let backend = self.backend(map, at);
        let drive = self.word(
            at.get("drive"),
            map.drive.as_ref(),
            Drive::default(),
            "a way to drive a line",
            &[("open-drain", Drive::OpenDrain), ("push-pull", Drive::PushPull)],
        );
        let biases = [("none", Bias::None), ("pull-up", Bias::PullUp), ("pull-down", Bias::PullDown)];
        let bias = self.word(at.get("bias"), map.bias.as_ref(), Bias::default(), "a bias", &biases);
        let active = self.word(
            at.get("active"),
            map.active.as_ref(),
            Active::default(),
            "an active level",
            &[("low", Active::Low), ("high", Active::High)],
        );
        let backend = backend?;
        self.take(board, at, "reset line", &line_key(&backend));
        Some(LineConfig { backend, drive: drive?, bias: bias?, active: active? })
    }

    fn backend(&mut self, map: &ResetMap, at: Cursor<'_>) -> Option<Backend> {
        let words = [("rppal", Kind::Rppal), ("gpiocdev", Kind::Gpiocdev), ("socket", Kind::Socket)];
        let kind = match &map.backend {
            Some(text) => self.value(at.get("backend"), text, |text| one_of(text, "a backend of a reset line", &words))?,
            None if map.gpio.is_some() => Kind::RaspberryPi,
            None => {
                let names = words.map(|(name, _)| format!("`{name}`")).join(", ");
                let hint = format!("give `gpio: 17` for a Raspberry Pi's pin, or `backend`, one of {names}");
                self.problems.push(at.problem("nothing says who drives this reset line").hint(hint));
                return None;
            }
        };
        let mut fits = true;
        for (key, given) in [
            ("gpio", map.gpio.is_some()),
            ("chip", map.chip.is_some()),
            ("line", map.line.is_some()),
            ("path", map.path.is_some()),
            ("drive", map.drive.is_some()),
            ("bias", map.bias.is_some()),
            ("active", map.active.is_some()),
        ] {
            if given && !kind.keys().contains(&key) {
                let keys = kind.keys().iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                self.problems
                    .push(at.get(key).key_problem(format!("the backend `{}` has no `{key}`", kind.name())).hint(format!("it has {keys}")));
                fits = false;
            }
        }
        let backend = match kind {
            Kind::Rppal | Kind::RaspberryPi => {
                let gpio = self.needed(map.gpio.as_ref(), "gpio", at)?;
                let gpio = self.value(at.get("gpio"), gpio, gpio_number)?;
                Some(if matches!(kind, Kind::Rppal) { Backend::Rppal { gpio } } else { Backend::RaspberryPi { gpio } })
            }
            Kind::Gpiocdev => {
                let line = self.needed(map.line.as_ref(), "line", at)?;
                let line = self.value(at.get("line"), line, gpio_line)?;
                let chip = match &map.chip {
                    Some(text) => Some(self.path(at.get("chip"), text)?),
                    None => None,
                };
                if chip.is_none() && matches!(line, GpioLine::Offset(_)) {
                    self.problems.push(
                        at.get("line")
                            .problem("an offset without its chip")
                            .hint("give `chip: /dev/gpiochip0` as well, or the line's name: `line: GPIO17`"),
                    );
                    return None;
                }
                Some(Backend::Gpiocdev { chip, line })
            }
            Kind::Socket => {
                let path = self.needed(map.path.as_ref(), "path", at)?;
                self.path(at.get("path"), path).map(|path| Backend::Socket { path })
            }
        };
        backend.filter(|_| fits)
    }

    fn needed<'t>(&mut self, text: Option<&'t Text>, key: &str, at: Cursor<'_>) -> Option<&'t Text> {
        if text.is_none() {
            self.problems.push(at.get("backend").problem(format!("this backend needs the key `{key}`")));
        }
        text
    }

    fn images(&mut self, raw: Option<&Entries<ImageMap>>, list: Cursor<'_>) -> BTreeMap<String, PlannedImage> {
        let mut images = BTreeMap::new();
        for (name, map) in raw.map_or(&[][..], |Entries(raw)| raw) {
            let at = list.get(name);
            if !is_image_name(name) {
                self.problems.push(at.key_problem(format!("`{name}` cannot be the name of an image")).hint(IMAGE_NAME));
            }
            if let Some(image) = self.image(name, map, at) {
                images.insert(name.clone(), image);
            }
        }
        images
    }

    fn image(&mut self, name: &str, map: &ImageMap, at: Cursor<'_>) -> Option<PlannedImage> {
        let path = self.path(at.get("path"), &map.path)?;
        let wrong = |message: String| Refusal::new(message, "the path is relative to the bench file");
        let bytes = self.value(at.get("path"), &map.path, |_| {
            let cannot = |error: std::io::Error| wrong(format!("cannot read the image: {error}"));
            let length = std::fs::metadata(&path).map_err(cannot)?.len();
            if length == 0 || length > MAX_IMAGE {
                return Err(wrong(format!("an image of {length} bytes; expected from 1 B to 64 MiB")));
            }
            std::fs::read(&path).map_err(cannot)
        })?;
        let sha256 = sha256_hex(&bytes);
        if let Some(text) = &map.sha256 {
            self.value(at.get("sha256"), text, |text| {
                if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(Refusal::new("this is no SHA-256", "64 digits in hex, as `sha256sum` prints them"));
                }
                let same = text.eq_ignore_ascii_case(&sha256);
                if same {
                    Ok(())
                } else {
                    Err(Refusal::new(
                        "the image has another SHA-256",
                        format!("the file's is {sha256}; find out which of the two is right"),
                    ))
                }
            })?;
        }
        let file_name = path.file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
        Some(PlannedImage { name: name.to_owned(), file_name, bytes: bytes.into(), sha256, made_up: false })
    }
}

/// The backends, before their keys are read.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// None was named, and `gpio` was.
    RaspberryPi,
    Rppal,
    Gpiocdev,
    Socket,
}

impl Kind {
    /// Its name in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::RaspberryPi => "rppal` or `gpiocdev",
            Self::Rppal => "rppal",
            Self::Gpiocdev => "gpiocdev",
            Self::Socket => "socket",
        }
    }

    /// The keys that go with it, beside `backend`.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::RaspberryPi | Self::Rppal => &["gpio", "drive", "bias", "active"],
            Self::Gpiocdev => &["chip", "line", "drive", "bias", "active"],
            Self::Socket => &["path"],
        }
    }
}

fn gpio_number(text: &str) -> Result<u8, Refusal> {
    text.parse::<u8>().ok().filter(|gpio| *gpio <= MAX_GPIO).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a GPIO of a Raspberry Pi's header"),
            format!("a BCM number from 0 to {MAX_GPIO}, not the number of the header's pin"),
        )
    })
}

fn gpio_line(text: &str) -> Result<GpioLine, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("an empty line", "an offset (`17`) with its chip, or a name (`GPIO17`)"));
    }
    if text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text
            .parse()
            .map(GpioLine::Offset)
            .map_err(|_| Refusal::new(format!("the offset {text} is out of range"), "`gpioinfo` lists the lines of each chip"));
    }
    Ok(GpioLine::Name(text.to_owned()))
}

/// What makes a reset line the same line as another.
fn line_key(backend: &Backend) -> String {
    match backend {
        Backend::RaspberryPi { gpio } | Backend::Rppal { gpio } => format!("line rppal {gpio}"),
        Backend::Gpiocdev { chip: Some(chip), line } => format!("line {} {line:?}", resolved(chip)),
        // A Raspberry Pi names its lines by their BCM numbers.
        Backend::Gpiocdev { chip: None, line: GpioLine::Name(name) } => match name.strip_prefix("GPIO") {
            Some(gpio) => format!("line rppal {gpio}"),
            None => format!("line {name}"),
        },
        Backend::Gpiocdev { chip: None, line } => format!("line {line:?}"),
        Backend::Socket { path } => format!("line {}", resolved(path)),
    }
}

/// The device behind a path, where there is one yet: two links to it are one device.
fn resolved(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
