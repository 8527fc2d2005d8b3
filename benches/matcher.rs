//! How fast patterns are found in a modem's log, in MB/s, beside what a search of the whole text at once reaches: a search for one literal (`memmem`) and `regex::bytes`. Those know all of the text
//! and may jump; a matcher of a stream has to look at each byte, because it says at which of them a pattern is complete. Then what one short answer costs that is matched for the
//! first time, as each answer of a case is.
//!
//! `cargo bench --bench matcher [MEGABYTES]`

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use evkit_hil::matcher::{Matcher, Pattern, PatternSet, PatternSource};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// What ends the log, and is looked for.
const MARK: &[u8] = b"BOOT-DONE 42\r\n";
/// What is read at once from a PTY.
const READ: usize = 4095;
const ROUNDS: usize = 7;
const ANSWER: &[u8] = b"\r\nST87M01 BOOT 1.4.2\r\n\r\nOK\r\n";

fn main() -> Fallible<()> {
    let megabytes = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(16);
    let log = modem_log(megabytes * 1_000_000);
    let regex = r"BOOT-DONE (\d+)\r";
    println!("{megabytes} MB of log in reads of {READ} bytes, median of {ROUNDS}");
    matched("text", vec![PatternSource::Text(b"BOOT-DONE 42".to_vec())], &log)?;
    matched("regex", vec![PatternSource::Regex(regex.to_owned())], &log)?;
    matched("20 patterns", twenty(regex), &log)?;

    let literal = regex::bytes::Regex::new("BOOT-DONE 42")?;
    speed("  literal at once", &log, || literal.find(&log).is_some())?;
    let whole = regex::bytes::Regex::new(&format!("(?-u){regex}"))?;
    speed("  regex::bytes at once", &log, || whole.find(&log).is_some())?;
    let any: Vec<String> = twenty(regex).iter().map(|source| format!("(?-u){}", as_regex(source))).collect();
    let set = regex::bytes::RegexSet::new(any)?;
    speed("  RegexSet of 20 at once", &log, || set.is_match(&log))?;
    speed("  each byte added up", &log, || log.iter().map(|byte| u64::from(black_box(*byte))).sum::<u64>() > 0)?;

    let version = PatternSource::Regex(r"ST87M01 BOOT \d+\.\d+\.\d+\r\n\r\nOK\r\n".to_owned());
    first_match("first match, version", &version, ANSWER)?;
    first_match("first match, byte", &PatternSource::Hex(vec![0x9A]), &[0x9A])
}

/// Twenty of a modem's own words, none of which comes before the end of the log.
fn twenty(last: &str) -> Vec<PatternSource> {
    let words = [
        "+CME ERROR",
        "+CMS ERROR",
        "#SYSSTART",
        "#REBOOT_WD",
        "#NVMERR",
        "+CEREG: 3",
        "+CGEV: NW DETACH",
        "NO CARRIER",
        "+IPERR",
        "#FOTAEV",
    ];
    let regexes = [
        r"\+CSQ: \d+,\d+\r",
        r"\+CEREG: [15],",
        r"#[A-Z]+: \d+\r",
        r"ERROR: \d{3}\r",
        r"ICCID: \d{19,20}\r",
        r"assert .* at \d+\r",
        r"(?i)panic",
        r"reset cause [1-9]\r",
        r"^\+QIND\r",
    ];
    let words = words.iter().map(|word| PatternSource::Text(word.as_bytes().to_vec()));
    words.chain(regexes.iter().chain([&last]).map(|regex| PatternSource::Regex((*regex).to_owned()))).collect()
}

fn as_regex(source: &PatternSource) -> String {
    match source {
        PatternSource::Regex(regex) => regex.clone(),
        PatternSource::Text(bytes) | PatternSource::Hex(bytes) => regex::escape(&String::from_utf8_lossy(bytes)),
    }
}

fn set_of(sources: Vec<PatternSource>) -> Fallible<Arc<PatternSet>> {
    let patterns = sources.into_iter().map(Pattern::new).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(PatternSet::new(patterns)?))
}

fn matched(what: &str, sources: Vec<PatternSource>, log: &[u8]) -> Fallible<()> {
    let set = set_of(sources)?;
    speed(what, log, || {
        let mut matcher = Matcher::new(Arc::clone(&set));
        log.chunks(READ).any(|read| matcher.feed(read).is_some())
    })
}

fn speed(what: &str, log: &[u8], mut find: impl FnMut() -> bool) -> Fallible<()> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        if !black_box(find()) {
            return Err(format!("{what}: not found").into());
        }
        times.push(begun.elapsed());
    }
    println!("{what:<24} {:8.0} MB/s", log.len() as f64 / 1e6 / median(times).as_secs_f64());
    Ok(())
}

fn first_match(what: &str, source: &PatternSource, answer: &[u8]) -> Fallible<()> {
    let [mut compiled, mut prepared, mut made, mut fed, mut resolved] = [const { Vec::new() }; 5];
    for _ in 0..200 {
        let begun = Instant::now();
        let set = set_of(vec![source.clone()])?;
        compiled.push(begun.elapsed());
        let begun = Instant::now();
        set.prepare();
        prepared.push(begun.elapsed());
        let begun = Instant::now();
        let mut matcher = Matcher::new(set);
        made.push(begun.elapsed());
        let begun = Instant::now();
        let hit = matcher.feed(answer).ok_or("not found")?;
        fed.push(begun.elapsed());
        let begun = Instant::now();
        black_box(matcher.resolve(hit));
        resolved.push(begun.elapsed());
    }
    let us = |times| median(times).as_secs_f64() * 1e6;
    println!(
        "{what:<24} {:8.1} us to compile, {:.1} to prepare, {:.1} to begin, {:.1} to match, {:.1} for the captures",
        us(compiled),
        us(prepared),
        us(made),
        us(fed),
        us(resolved)
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Lines of a made-up modem log, 70 to 120 bytes each, and the mark at their end.
fn modem_log(size: usize) -> Vec<u8> {
    let tags = ["RRC: ", "NAS: ", "PHY: ", "MAC: ", "BOOT-STAGE ", "SIM: ", "PWR: ", "AT<- "];
    let mut log = Vec::with_capacity(size + 256);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut line = 0;
    while log.len() < size {
        let (a, b, c) = (random(), random(), random());
        let tag = tags[(a % 8) as usize];
        let text = format!(
            "[{line:08}] {tag}evt=0x{:08x} rssi=-{} data={b:016x}{c:016x}{}\r\n",
            a >> 32,
            50 + a / 8 % 50,
            "0".repeat((b % 16) as usize)
        );
        log.extend_from_slice(text.as_bytes());
        line += 1;
    }
    log.extend_from_slice(MARK);
    log
}
