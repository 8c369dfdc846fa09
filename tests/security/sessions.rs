//! Sessions as a whole: whatever their users do, and in whatever order, each token is worth what the rules say. The rules
//! are said once more here, as simply as they can be, without the server's tables and notes.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{NEW_SESSION, PASSWORD, Person, behind_a_proxy, everywhere_with};
use crate::harness::{Answered, Content, TestApp, draws};

/// An account has one of them, at first the first.
const PASSWORDS: [&str; 2] = [PASSWORD, "eleven owls debate philosophy"];
/// How long a used refresh token gives the same pair again.
const GRACE: TimeDelta = TimeDelta::seconds(10);
/// How long an access token is taken: ten minutes, and what servers' clocks may be apart.
const ACCESS: TimeDelta = TimeDelta::seconds(605);
/// How long a session lasts without use.
const SESSION: TimeDelta = TimeDelta::days(30);

/// The time before a step.
const PAUSES: [TimeDelta; 5] = [
    TimeDelta::zero(),
    TimeDelta::milliseconds(500),
    TimeDelta::milliseconds(4_000),
    TimeDelta::milliseconds(9_900),
    TimeDelta::milliseconds(10_100),
];

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Login,
    /// By the password that was theirs, or will be.
    LoginByOther,
    /// By the newest token of a session that goes on.
    Refresh,
    /// The same, and by the same token again so much later.
    RefreshTwice(TimeDelta),
    /// By whatever token there ever was.
    RefreshByAny,
    Logout,
    RevokeSession,
    RevokeAllSessions,
    ChangePassword,
    Wait(TimeDelta),
}

/// The steps of one sequence, which come in any order: each kind is tried in each, and few of them hash a password. An age
/// is never near the end of an access token: without the long wait all of them take some five minutes.
const STEPS: &[(Step, usize)] = &[
    (Step::Login, 2),
    (Step::LoginByOther, 1),
    (Step::Refresh, 5),
    (Step::RefreshTwice(TimeDelta::zero()), 2),
    (Step::RefreshTwice(TimeDelta::milliseconds(4_000)), 1),
    (Step::RefreshTwice(TimeDelta::milliseconds(9_500)), 2),
    (Step::RefreshTwice(TimeDelta::milliseconds(10_500)), 1),
    (Step::RefreshByAny, 5),
    (Step::Logout, 1),
    (Step::RevokeSession, 2),
    (Step::RevokeAllSessions, 2),
    (Step::ChangePassword, 1),
    (Step::Wait(TimeDelta::minutes(15)), 1),
];

struct Account {
    email: String,
    /// Which of the passwords.
    password: usize,
    /// How often all sessions were ended, or all but one: access tokens made since say so.
    epoch: u32,
    sessions: Vec<Family>,
}

/// A session with all that was given for it.
struct Family {
    id: String,
    ended: bool,
    expires_at: DateTime<Utc>,
    /// Its refresh tokens, each but the first given for the one before.
    chain: Vec<Refresh>,
    access: Vec<Access>,
}

struct Refresh {
    text: String,
    used: Option<Used>,
}

/// The first use of a refresh token: the server's moment of it is between these two.
#[derive(Clone)]
struct Used {
    sent: DateTime<Utc>,
    answered: DateTime<Utc>,
    access: String,
    epoch: u32,
}

struct Access {
    text: String,
    issued_at: DateTime<Utc>,
}

/// What a refresh token gives.
#[derive(Debug, Clone, Copy)]
enum Gives {
    NewPair,
    SamePair,
    /// The grace ends while the server is asked: it alone knows on which side.
    SamePairOrNothing,
    Nothing(&'static str),
}

impl Family {
    fn of(person: Person, now: DateTime<Utc>) -> Self {
        Self {
            id: person.session,
            ended: false,
            expires_at: now + SESSION,
            chain: vec![Refresh { text: person.refresh, used: None }],
            access: vec![Access { text: person.access, issued_at: now }],
        }
    }

    fn goes_on(&self, now: DateTime<Utc>) -> bool {
        !self.ended && now < self.expires_at
    }

    fn check_access(&self, token: usize, now: DateTime<Utc>) -> Result<(), &'static str> {
        if now >= self.access[token].issued_at + ACCESS {
            Err("ERR-2002")
        } else if self.ended {
            Err("ERR-2003")
        } else {
            Ok(())
        }
    }

    fn check_refresh(&self, token: usize, sent: DateTime<Utc>, answered: DateTime<Utc>) -> Gives {
        if self.ended {
            return Gives::Nothing("ERR-2003");
        }
        if sent >= self.expires_at {
            return Gives::Nothing("ERR-2002");
        }
        let Some(used) = &self.chain[token].used else {
            return Gives::NewPair;
        };
        if self.chain[token + 1].used.is_some() || sent - used.answered > GRACE {
            Gives::Nothing("ERR-2003")
        } else if answered - used.sent <= GRACE {
            Gives::SamePair
        } else {
            Gives::SamePairOrNothing
        }
    }
}

/// One sequence of steps, by two users at an address of their own.
struct Life<'a> {
    app: &'a TestApp,
    address: String,
    random: StdRng,
    accounts: Vec<Account>,
    /// Which sequence and which step it is, for who reads of a failure.
    at: String,
}

impl<'a> Life<'a> {
    async fn begin(app: &'a TestApp, sequence: usize, seed: u64) -> Self {
        let mut life = Self {
            app,
            address: format!("10.{}.{}.{}", sequence / 65_536 % 256, sequence / 256 % 256, sequence % 256),
            random: StdRng::seed_from_u64(seed),
            accounts: Vec::new(),
            at: format!("the beginning of seed {seed}"),
        };
        for name in ["ada", "bob"] {
            life.register(format!("{name}{sequence}@example.com")).await;
        }
        life
    }

    async fn go_through(mut self, seed: u64) {
        let mut steps: Vec<Step> =
            STEPS.iter().flat_map(|(step, times)| std::iter::repeat_n(*step, *times)).collect();
        if self.random.random_range(0..4) == 0 {
            steps.push(Step::Wait(TimeDelta::days(31)));
        }
        steps.shuffle(&mut self.random);
        for (number, step) in steps.into_iter().enumerate() {
            self.at = format!("step {number} of seed {seed}: {step:?}");
            let pause = *PAUSES.choose(&mut self.random).expect("a pause");
            self.app.clock.advance(pause);
            let account = self.random.random_range(0..self.accounts.len());
            self.take(step, account).await;
            let (session, token) = self.any_access(account);
            self.show(account, session, token).await;
        }
        self.at = format!("the end of seed {seed}");
        for account in 0..self.accounts.len() {
            for session in 0..self.accounts[account].sessions.len() {
                for token in 0..self.accounts[account].sessions[session].access.len() {
                    self.show(account, session, token).await;
                }
                let newest = self.accounts[account].sessions[session].chain.len() - 1;
                self.refresh(account, session, newest).await;
            }
        }
    }

    async fn take(&mut self, step: Step, account: usize) {
        match step {
            Step::Login => self.login(account, true).await,
            Step::LoginByOther => self.login(account, false).await,
            Step::Refresh => {
                let (session, newest) = self.newest(account).await;
                self.refresh(account, session, newest).await;
            }
            Step::RefreshTwice(pause) => {
                let (session, newest) = self.newest(account).await;
                self.refresh(account, session, newest).await;
                self.app.clock.advance(pause);
                self.refresh(account, session, newest).await;
            }
            Step::RefreshByAny => {
                let session = self.random.random_range(0..self.accounts[account].sessions.len());
                let chain = self.accounts[account].sessions[session].chain.len();
                let token = self.random.random_range(0..chain);
                self.refresh(account, session, token).await;
            }
            Step::Logout => self.logout(account).await,
            Step::RevokeSession => self.revoke_session(account).await,
            Step::RevokeAllSessions => self.revoke_all_sessions(account).await,
            Step::ChangePassword => self.change_password(account).await,
            Step::Wait(time) => self.app.clock.advance(time),
        }
    }

    async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Answered {
        let headers = [("x-forwarded-for", self.address.as_str())];
        self.app.ask_with(token, &headers, query, variables).await
    }

    async fn register(&mut self, email: String) {
        let query = format!("mutation($input: RegisterInput!) {{ register(input: $input) {NEW_SESSION} }}");
        let input = json!({"email": email, "password": PASSWORDS[0], "displayName": "Ada"});
        let now = self.app.clock.now();
        let answer = self.ask(None, &query, json!({"input": input})).await;
        let sessions = vec![Family::of(Person::of(&email, answer.field()), now)];
        self.accounts.push(Account { email, password: 0, epoch: 0, sessions });
    }

    async fn login(&mut self, account: usize, is_right: bool) {
        let Account { email, password, .. } = &self.accounts[account];
        let password = PASSWORDS[if is_right { *password } else { 1 - *password }];
        let query = format!("mutation($input: LoginInput!) {{ login(input: $input) {NEW_SESSION} }}");
        let now = self.app.clock.now();
        let input = json!({"email": email, "password": password});
        let answer = self.ask(None, &query, json!({"input": input})).await;
        assert_eq!(answer.code(), (!is_right).then_some("ERR-2004"), "{}", self.at);
        if is_right {
            let family = Family::of(Person::of(email, answer.field()), now);
            self.accounts[account].sessions.push(family);
        }
    }

    async fn refresh(&mut self, account: usize, session: usize, token: usize) {
        let text = self.accounts[account].sessions[session].chain[token].text.clone();
        let query = format!(
            "mutation($input: RefreshSessionInput!) {{ refreshSession(input: $input) {NEW_SESSION} }}"
        );
        let sent = self.app.clock.now();
        let answer = self.ask(None, &query, json!({"input": {"refreshToken": text}})).await;
        let answered = self.app.clock.now();
        let at = &self.at;
        let Account { email, epoch, sessions, .. } = &mut self.accounts[account];
        let family = &mut sessions[session];
        let gives = family.check_refresh(token, sent, answered);
        let refused = match gives {
            Gives::NewPair | Gives::SamePair => None,
            Gives::SamePairOrNothing => answer.code().map(|_| "ERR-2003"),
            Gives::Nothing(code) => Some(code),
        };
        assert_eq!(answer.code(), refused, "{at}, which gives {gives:?}");
        if refused.is_some() {
            // Of a session that went on it was a token that two hold: that has ended it.
            if family.goes_on(sent) {
                family.ended = true;
            }
            return;
        }
        let given = Person::of(email, answer.field());
        assert_eq!(given.session, family.id, "{at}");
        match family.chain[token].used.clone() {
            None => {
                let access = given.access.clone();
                family.chain[token].used = Some(Used { sent, answered, access, epoch: *epoch });
                family.chain.push(Refresh { text: given.refresh, used: None });
                family.access.push(Access { text: given.access, issued_at: sent });
                family.expires_at = sent + SESSION;
            }
            Some(used) => {
                assert_eq!(given.refresh, family.chain[token + 1].text, "{at}");
                // A token says the epoch of its time.
                if used.epoch == *epoch {
                    assert_eq!(given.access, used.access, "{at}");
                } else {
                    family.access.push(Access { text: given.access, issued_at: used.sent });
                }
            }
        }
    }

    /// Shows an access token, and asserts that it is worth what it is.
    async fn show(&self, account: usize, session: usize, token: usize) {
        if let Some(answer) =
            self.command(account, (session, token), "{ viewer { email } }", json!(null)).await
        {
            assert_eq!(answer.code(), None, "{}", self.at);
            assert_eq!(answer.field()["email"], json!(self.accounts[account].email), "{}", self.at);
        }
    }

    /// Asks with an access token. Where it does not hold, this asserts so, and there is no answer.
    async fn command(
        &self,
        account: usize,
        (session, token): (usize, usize),
        query: &str,
        variables: Value,
    ) -> Option<Answered> {
        let family = &self.accounts[account].sessions[session];
        let outcome = family.check_access(token, self.app.clock.now());
        let answer = self.ask(Some(&family.access[token].text), query, variables).await;
        if let Err(code) = outcome {
            assert_eq!((answer.status, answer.code()), (401, Some(code)), "{}", self.at);
            return None;
        }
        Some(answer)
    }

    async fn logout(&mut self, account: usize) {
        let asker = self.asker(account).await;
        let query = "mutation { logout { success userErrors { errorCode } } }";
        let Some(answer) = self.command(account, asker, query, json!(null)).await else { return };
        assert_eq!(answer.code(), None, "{}", self.at);
        self.accounts[account].sessions[asker.0].ended = true;
    }

    /// Ends one of the user's sessions, or tries to end one of the other's.
    async fn revoke_session(&mut self, account: usize) {
        let asker = self.asker(account).await;
        let owner = if self.random.random_range(0..4) == 0 { 1 - account } else { account };
        let session = self.random.random_range(0..self.accounts[owner].sessions.len());
        let family = &self.accounts[owner].sessions[session];
        let is_there = owner == account && family.goes_on(self.app.clock.now());
        let query = "mutation($id: ID!) { revokeSession(input: {sessionId: $id}) \
             { revokedSessionId userErrors { errorCode } } }";
        let variables = json!({"id": family.id});
        let Some(answer) = self.command(account, asker, query, variables).await else { return };
        assert_eq!(answer.code(), (!is_there).then_some("ERR-3001"), "{}", self.at);
        if is_there {
            self.accounts[owner].sessions[session].ended = true;
        }
    }

    async fn revoke_all_sessions(&mut self, account: usize) {
        let asker = self.asker(account).await;
        let keeps = self.random.random_range(0..2) == 0;
        let query = "mutation($keep: Boolean!) { revokeAllSessions(input: {keepCurrent: $keep}) \
             { revokedCount userErrors { errorCode } } }";
        let variables = json!({"keep": keeps});
        let Some(answer) = self.command(account, asker, query, variables).await else { return };
        self.end_all(account, keeps.then_some(asker.0), &answer);
    }

    async fn change_password(&mut self, account: usize) {
        let asker = self.asker(account).await;
        let current = self.accounts[account].password;
        let new = 1 - current;
        let input = json!({"currentPassword": PASSWORDS[current], "newPassword": PASSWORDS[new]});
        let query = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) \
             { revokedCount userErrors { errorCode } } }";
        let variables = json!({"input": input});
        let Some(answer) = self.command(account, asker, query, variables).await else { return };
        self.end_all(account, Some(asker.0), &answer);
        self.accounts[account].password = new;
    }

    /// All sessions have ended, or all but one, by a command that says how many those were.
    fn end_all(&mut self, account: usize, kept: Option<usize>, answer: &Answered) {
        assert_eq!(answer.code(), None, "{}", self.at);
        let now = self.app.clock.now();
        let account = &mut self.accounts[account];
        let mut ended = 0;
        for (session, family) in account.sessions.iter_mut().enumerate() {
            if Some(session) != kept && family.goes_on(now) {
                family.ended = true;
                ended += 1;
            }
        }
        assert_eq!(answer.field()["revokedCount"], json!(ended), "{}", self.at);
        account.epoch += 1;
    }

    /// A session that goes on; the user signs in where there is none.
    async fn living(&mut self, account: usize) -> usize {
        let now = self.app.clock.now();
        let sessions = &self.accounts[account].sessions;
        let living: Vec<usize> = (0..sessions.len()).filter(|place| sessions[*place].goes_on(now)).collect();
        match living.choose(&mut self.random) {
            Some(session) => *session,
            None => {
                self.login(account, true).await;
                self.accounts[account].sessions.len() - 1
            }
        }
    }

    /// A session that goes on, and its newest refresh token.
    async fn newest(&mut self, account: usize) -> (usize, usize) {
        let session = self.living(account).await;
        (session, self.accounts[account].sessions[session].chain.len() - 1)
    }

    /// A session and an access token of it to ask with: mostly the newest of one that goes on.
    async fn asker(&mut self, account: usize) -> (usize, usize) {
        if self.random.random_range(0..4) == 0 {
            return self.any_access(account);
        }
        let session = self.living(account).await;
        (session, self.accounts[account].sessions[session].access.len() - 1)
    }

    fn any_access(&mut self, account: usize) -> (usize, usize) {
        let sessions = &self.accounts[account].sessions;
        let session = self.random.random_range(0..sessions.len());
        (session, self.random.random_range(0..sessions[session].access.len()))
    }
}

#[test]
fn whatever_users_do_each_token_is_worth_what_the_rules_say() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        for sequence in 0..draws(3) {
            let seed: u64 = rand::random();
            Life::begin(app, sequence, seed).await.go_through(seed).await;
        }
    });
}
