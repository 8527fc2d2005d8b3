//! `virtual`: a virtual EVKIT as a program, for any other program; `control`, which talks to it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;

use rustix::process::Signal;

use crate::place::{Kit, Place, QUICK, SOON, eventually};

/// Somebody at the control socket who types lines.
struct Client {
    socket: BufReader<UnixStream>,
}

impl Client {
    fn of(place: &Place) -> Self {
        let socket = UnixStream::connect(place.path("kit.ctl")).expect("connected");
        socket.set_read_timeout(Some(SOON)).expect("set");
        Self { socket: BufReader::new(socket) }
    }

    fn say(&mut self, line: &str) {
        self.socket.get_mut().write_all(format!("{line}\n").as_bytes()).expect("sent");
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).expect("answered in time");
        line
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.hear()
    }
}

#[test]
fn several_clients_are_served_at_once_and_each_gets_its_answers() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["firmware=2.6.0", "speed=460800"]);
    let mut clients: Vec<Client> = (0..8).map(|_| Client::of(&place)).collect();
    let idle = r#"ok {"program":"application","speed":460800,"firmware":"2.6.0","power":"on","wake":"released","edges":0,"bytes_in":0,"bytes_out":0}"#;
    for client in &mut clients {
        client.say("state");
    }
    for client in clients.iter_mut().rev() {
        assert_eq!(client.hear().trim_end(), idle);
    }
    // What one does the others see; one who waits in the middle of a line holds up nobody.
    clients[7].socket.get_mut().write_all(b"sta").expect("sent");
    assert_eq!(clients[0].ask("reset assert"), "ok\n");
    assert!(clients[1].ask("state").starts_with(r#"ok {"program":"reset","#));
    assert_eq!((clients[1].ask("reset level"), clients[1].ask("wake level")), ("ok asserted\n".to_owned(), "ok released\n".to_owned()));
    clients[2].socket.get_mut().write_all(b"reset release\nnonsense\nreset\n").expect("three lines at once");
    assert_eq!(clients[2].hear(), "ok\n");
    assert!(clients[2].hear().starts_with("error no command `nonsense`: try `help`"));
    assert_eq!(clients[2].hear(), "error `reset` takes `assert`, `release` or `level`\n");
    assert!(clients[7].ask("te").contains(r#""edges":2,"#));

    let help = clients[3].ask("help");
    for command in [
        "reset assert",
        "reset release",
        "power on, power off",
        "wake assert, wake release",
        "watch ring",
        "state",
        "acted",
        "setup",
        "unplug",
        "help",
    ] {
        assert!(help.starts_with("ok ") && help.contains(&format!("{command} ")), "{command} is missing: {help}");
    }
    assert_eq!(clients[4].ask("setup speed=fast").split(' ').next(), Some("error"));
    assert_eq!(clients[4].ask("setup firmware=2.8.0"), "ok\n");
    assert!(clients[5].ask("state").contains(r#""speed":115200,"firmware":"2.8.0","power":"on","wake":"released","edges":0,"#));
    assert_eq!(clients[5].ask("unplug"), "ok\n");
    assert_eq!(clients[6].ask("unplug"), "error the port is unplugged already\n");
}

#[test]
fn the_port_is_named_on_standard_output_and_its_names_go_with_it() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let place = Place::new();
        let kit = Kit::start(&place, "kit", QUICK);
        let port = fs::read_link(place.path("kit")).expect("a link");
        kit.process.wait_for_talk("ends it\n");
        kit.process.signal(signal);
        let output = kit.process.wait();
        assert_eq!((output.status.code(), output.stdout), (Some(0), format!("{}\n", port.display())), "{signal:?}");
        let said = format!("virtual EVKIT at kit ({}), control socket kit.ctl; INT, TERM or HUP ends it\n", port.display());
        assert_eq!(output.stderr, said);
        for name in ["kit", "kit.ctl"] {
            assert!(fs::symlink_metadata(place.path(name)).is_err(), "{name} is left behind");
        }
    }
}

#[test]
fn names_that_are_taken_are_refused_and_left_alone() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.write("file", "mine");
    let names = |link: &str, control: &str| place.output(&["virtual", "--link", link, "--control", control]);
    for (output, said) in [
        (names("file", "new.ctl"), "error: file is not a symbolic link: remove it, or choose another name for the port\n"),
        (names("new", "file"), "error: file exists and is no socket: remove it, or choose another control socket\n"),
        (names("new", "kit.ctl"), "error: a process listens on kit.ctl: stop it, or choose another control socket\n"),
    ] {
        assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(2), "", said));
    }
    assert_eq!(fs::read_to_string(place.path("file")).expect("there"), "mine");
    assert!(fs::symlink_metadata(place.path("new")).is_err() && fs::symlink_metadata(place.path("new.ctl")).is_err());
}

#[test]
fn a_wrong_setting_is_refused_with_the_nearest() {
    let place = Place::new();
    for (setting, said) in [
        ("sped=9600", "error: --set sped=9600: the virtual EVKIT has no setting `sped`; the nearest one is `speed`\n"),
        ("speed", "error: --set speed: expected KEY=VALUE\nhint: `evkit-hil settings` lists the keys\n"),
    ] {
        let output = place.output(&["virtual", "--link", "kit", "--control", "kit.ctl", "--set", setting]);
        assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(2), "", said));
    }
}

#[test]
fn a_wrong_fault_is_refused_with_the_nearest() {
    let place = Place::new();
    for (fault, why) in [
        ("deef", "the virtual EVKIT has no fault `deef`; the nearest one is `deaf`"),
        ("mute=1", "the fault `mute` takes no value"),
        ("lost-bytes=x", "`lost-bytes` takes a share from 0 % to 100 %, as in `12.5 %`, got `x`"),
    ] {
        let output = place.output(&["virtual", "--link", "kit", "--control", "kit.ctl", "--fault", fault]);
        let said = format!("error: --fault {fault}: {why}\nhint: `evkit-hil settings --faults` lists the faults\n");
        assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr), (Some(2), "", said));
    }
}

#[test]
fn faults_are_put_in_when_it_starts_or_by_a_setup_and_what_they_did_is_told() {
    let place = Place::new();
    let board = ["virtual", "--link", "kit", "--control", "kit.ctl", "--seed", "7"];
    let process = place.start(&[&board[..], &["--fault", "stuck-in-reset", "--fault", "left-at-speed=9600"]].concat());
    process.wait_for("\n");
    let mut client = Client::of(&place);
    assert!(client.ask("state").starts_with(r#"ok {"program":"reset","speed":9600,"#));
    assert_eq!(client.ask("acted"), "ok {}\n", "it is there, and did nothing yet");
    client.ask("reset assert");
    client.ask("reset release");
    assert_eq!(client.ask("acted"), "ok {\"stuck-in-reset\":1}\n");
    assert_eq!(client.ask("acted now"), "error `acted` takes nothing behind it\n");
    assert_eq!(client.ask("setup fault=ignores-reset fault=no-power ignores-reset=true"), "ok\n");
    assert_eq!(client.ask("acted"), "ok {}\n");
    assert!(client.ask("state").starts_with(r#"ok {"program":"off","#));
    assert_eq!(client.ask("setup fault=deef"), "error the virtual EVKIT has no fault `deef`; the nearest one is `deaf`\n");
}

#[test]
fn the_port_vanishes_and_comes_back_under_another_name() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["port-vanishes=50 ms", "port-returns-after=50 ms", "port-returns-as=other"]);
    let mut port = fs::OpenOptions::new().write(true).open(place.path("kit")).expect("opened");
    port.write_all(b"AT\r").expect("written");
    eventually("back under another name", || fs::read_link(place.path("kit-2")).ok());
    assert!(fs::symlink_metadata(place.path("kit")).is_err());
    assert_eq!(Client::of(&place).ask("acted"), "ok {\"port-vanishes\":1}\n");
    drop(fs::File::open(place.path("kit-2")).expect("it can be opened"));
}

#[test]
fn faults_are_listed_with_what_they_look_like_and_stand_for() {
    let output = Place::new().output(&["settings", "--faults"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
    let deaf = "deaf\n    Start-up messages come, and nothing that is sent is heard: no command is answered, no hotkey acknowledged.\n    \
                Stands for: The host's TX is not wired, the other host drives RXD, or flow control.\n    sets deaf = true\n";
    assert!(output.stdout.contains(deaf), "{}", output.stdout);
    assert!(output.stdout.contains("sets lost-bytes = 10 % to 30 %; damage-direction = to-host, to-board, both\n"));
}

#[test]
fn a_killed_board_leaves_names_that_the_next_one_takes_over() {
    let place = Place::new();
    let killed = Kit::start(&place, "kit", QUICK);
    killed.process.kill_group();
    killed.process.wait();
    assert!(fs::symlink_metadata(place.path("kit")).is_ok() && fs::symlink_metadata(place.path("kit.ctl")).is_ok());
    // Its port's number may be another board's by now, whose port is not taken over.
    fs::remove_file(place.path("kit")).expect("removed");
    symlink("/dev/pts/nobody-has-this", place.path("kit")).expect("linked");
    let next = Kit::start(&place, "kit", QUICK);
    assert_eq!(next.program(), "application");
}

#[test]
fn a_line_is_sent_from_a_shell_and_its_answer_printed() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", &["speed=460800", "boot-window=60 s"]);
    let control = |words: &[&str]| {
        let output = place.output(&[&["control", "kit.ctl"], words].concat());
        (output.status.code(), output.stdout, output.stderr)
    };
    let silent = (Some(0), String::new(), String::new());
    let (code, state, said) = control(&["state"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(state.starts_with(r#"{"program":"application","speed":460800,"#) && state.ends_with("}\n"), "{state}");
    assert_eq!(control(&["reset", "assert"]), silent);
    assert_eq!(kit.program(), "reset");
    assert_eq!(control(&["reset release"]), silent);
    assert_eq!(kit.program(), "boot");
    // The shell has taken the quotes off.
    assert_eq!(control(&["setup", "firmware=2.6.0", "boot-window=20 ms"]), silent);
    assert!(kit.command("state").contains(r#""firmware":"2.6.0""#));
    assert!(control(&["help"]).1.contains("reset assert"));

    let (code, out, said) = control(&["nonsense"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(said.starts_with("error: no command `nonsense`: try `help`"), "{said}");
    let said = "error: `reset` takes `assert`, `release` or `level`\n".to_owned();
    assert_eq!(control(&["reset"]), (Some(1), String::new(), said));
    assert_eq!(control(&["state\nunplug"]).0, Some(2));
    assert_eq!(control(&[]).0, Some(2));

    let output = place.output(&["control", "nobody.ctl", "state"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(3), ""));
    assert_eq!(
        output.stderr,
        "error: no board answers on nobody.ctl: No such file or directory (os error 2)\n\
         hint: start a virtual board there: evkit-hil virtual --link PATH --control nobody.ctl\n"
    );
}
