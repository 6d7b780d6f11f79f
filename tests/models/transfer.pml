/* The transfer's rules (docs/protocol.md, "The transfer's rules") against everybody, for Spin.
 *
 * rules.pml, which transfer.mjs makes from the programs' own table, gives decide(): the next state of a claim, or
 * st_none for a refusal.  What each guard means stands here; what must never happen is the MUSTs of apply(), which
 * are written from the document and know nothing of the table.
 *
 * Three wallets and one work, through three transfers: ownership goes ADA -> somebody -> ADA among others.  ADA is
 * honest as an owner: she signs a yes only to a living claim at the present head, and her yes stays in the world for
 * ever, to be delivered by anybody at any time, for any claim.  Everybody else signs whatever helps: any event, any
 * head, any ids, any deadline; one thing wrong at a time, for a row's guards all have to hold, so that what is
 * refused for one is refused for more.  The clock and the operator's hold come at any time.
 *
 * A place in claim[] is used again when its claim is over: nothing of it is left then but a yes of ADA's, if she gave
 * one.  That no row leads out of a claim that is over is looked at first, in init.
 *
 * The environment of the checker says what is broken, none of it by default: SAT_GUARDS, SAT_WHO and SAT_ROWS (bits:
 * guards, parties and rows of the table that are not there), SAT_APART (two workers, and a decision is applied later
 * than it was made), SAT_SWEPT (a deadline counts only once noticed); SAT_ONLY, the one class of MUST to look at;
 * SAT_WITNESS, a thing that must be reachable, then reported as an error; SAT_LIMIT, how many claims may be open.
 * SPDX-License-Identifier: Apache-2.0
 */
#define CLAIMS 3
#define HEADS 3
#define WALLETS 3
#define ADA 0
#define VAULT 9

c_decl {
    static int setting(const char *name, int otherwise) { return getenv(name) ? atoi(getenv(name)) : otherwise; }
}
int no_guard, no_who, no_row;
byte only, witness, limit;
bool apart, swept;

typedef Claim {
    byte st, by, head;
    bool late; /* its deadline has come: the claim's or, when confirmed, the sooner of that and the answer's */
    bool yes;  /* ADA signed a yes to it, at its head */
}
Claim claim[CLAIMS];
bool old_yes[9];  /* WALLETS * head + collector: likewise, to a claim that is over */
byte head, owner; /* a head is the leaf that made the present owner the owner; seq is the same number */
bool held;

/* The classes of what must hold, as transfer.mjs numbers them. */
#define one_owner 1
#define consent 2
#define deadline 3
#define hold 4
#define party 5
#define record 6
#define state_order 7
#define limits 8
#define MUST(class, what) assert((only != 0 && only != class) || (what))
#define WITNESS(n, what) assert(witness != n || !(what))

#define is_open(j) (claim[j].st == st_pending || claim[j].st == st_confirmed)
#define living(j) (is_open(j) && !claim[j].late)
#define any_claim(what) (what(0) || what(1) || what(2))
#define by_actor(j) (j != k && living(j) && claim[j].by == s_by)
#define confirmed_here(j) (j != k && living(j) && claim[j].st == st_confirmed && claim[j].head == head)
#define counted(j) (j != k && living(j) -> 1 : 0)
#define others_open (counted(0) + counted(1) + counted(2))

/* The guards and the parties, by their names in lib/ledger/rules.h. */
#define g_claim_current (s_head == head)
#define g_head_current (s_head == head && claim[k].head == head)
#define g_not_held (!held)
#define g_none_by_actor (!any_claim(by_actor))
#define g_below_limit (others_open < limit)
#define g_claim_exp (!s_late && !s_far)
#define g_answer_ids (s_claim == k && s_to == claim[k].by)
#define g_none_confirmed (!any_claim(confirmed_here))
#define g_answer_exp (!s_late && !s_far)
#define g_claim_id (s_claim == k)
#define g_accept_ids (s_answer == k)
#define g_deadline_passed (claim[k].late)
#define w_anyone_but_owner (s_by != owner)
#define w_owner (s_by == owner)
#define w_collector (s_by == claim[k].by)
#define w_vault (s_by == VAULT)
#define GUARD(n, name) (((no_guard >> n) & 1) || g_##name)
#define WHO(n, name) (((no_who >> n) & 1) || w_##name)
#define ROW(n) (!((no_row >> n) & 1))

#include "rules.pml"

#define any_claim_of(k) if :: k = 0 :: k = 1 :: k = 2 fi
#define any_wallet(w) if :: w = 0 :: w = 1 :: w = 2 fi

/* A claim past its deadline counts as expired, noticed or not; the vault's own events meet what is recorded. */
inline judge() {
    if
    :: is_open(k) && claim[k].late && !swept && ev == ev_overtaken -> next = st_expired
    :: is_open(k) && claim[k].late && !swept && ev != ev_overtaken && ev != ev_time -> state = st_expired; decide()
    :: else -> state = claim[k].st; decide()
    fi
}

inline apply() {
    MUST(state_order, (next == st_pending) == (claim[k].st == st_none));
    WITNESS(10 + next, true);
    if
    :: next == st_pending ->
        MUST(record, s_head == head);
        MUST(deadline, !s_late && !s_far);
        MUST(hold, !held);
        MUST(party, s_by != owner);
        MUST(limits, !any_claim(by_actor) && others_open < limit);
        claim[k].by = s_by;
        claim[k].head = s_head;
        claim[k].st = next
    :: next == st_confirmed ->
        MUST(record, s_head == head && claim[k].head == head && s_claim == k && s_to == claim[k].by);
        MUST(deadline, !s_late && !s_far && !claim[k].late);
        MUST(hold, !held);
        MUST(party, s_by == owner);
        MUST(limits, !any_claim(confirmed_here));
        claim[k].st = next
    :: next == st_completed ->
        MUST(one_owner, claim[k].head == head); /* else the head it names has a successor already */
        MUST(consent, owner != ADA || (claim[k].yes && claim[k].head == head));
        MUST(record, s_head == head && s_claim == k && s_answer == k);
        MUST(deadline, !claim[k].late);
        MUST(hold, !held);
        MUST(party, s_by == claim[k].by && s_by != owner);
        MUST(state_order, claim[k].st == st_confirmed);
        owner = claim[k].by;
        over();
        head++;
        /* Every other open claim is overtaken, in the same transaction. */
        ev = ev_overtaken;
        s_by = VAULT;
        k = 0;
        do
        :: k < CLAIMS ->
            if
            :: is_open(k) ->
                judge();
                if
                :: next != st_none -> WITNESS(20 + next, true); over()
                :: else -> MUST(state_order, false)
                fi
            :: else -> skip
            fi;
            k++
        :: else -> break
        od;
        k = 0;
        WITNESS(1, head == 2 && owner == ADA);
        WITNESS(2, head == 3)
    :: next == st_declined ->
        MUST(party, s_by == owner);
        MUST(record, s_head == head && claim[k].head == head && s_claim == k && s_to == claim[k].by);
        over()
    :: next == st_withdrawn ->
        MUST(party, s_by == claim[k].by);
        MUST(record, s_claim == k);
        over()
    :: next == st_expired ->
        MUST(deadline, claim[k].late);
        over()
    :: else ->
        MUST(party, false); /* superseded, though nothing was completed */
        over()
    fi
}

inline over() {
    if
    :: claim[k].yes -> old_yes[WALLETS * claim[k].head + claim[k].by] = true
    :: else -> skip
    fi;
    claim[k].st = st_none;
    claim[k].by = 0;
    claim[k].head = 0;
    claim[k].late = false;
    claim[k].yes = false
}

/* A statement that serves somebody's ends: in order, or wrong in one thing that its event has a use for. */
inline forge() {
    s_head = head;
    s_claim = k;
    s_to = claim[k].by;
    s_answer = k;
    any_wallet(s_by);
    if
    :: ev == ev_claim -> if :: skip :: head > 0 -> s_head = head - 1 :: s_late = true :: s_far = true fi
    :: ev == ev_yes && s_by != ADA ->
        if :: skip :: wrong_head() :: s_claim = CLAIMS :: wrong_to() :: s_late = true :: s_far = true fi
    :: ev == ev_yes && s_by == ADA -> replay()
    :: ev == ev_no -> if :: skip :: wrong_head() :: s_claim = CLAIMS :: wrong_to() fi
    :: ev == ev_withdraw -> if :: skip :: s_claim = CLAIMS fi
    :: ev == ev_accept -> if :: skip :: wrong_head() :: s_claim = CLAIMS :: s_answer = CLAIMS fi
    :: ev == ev_time -> if :: skip :: s_by = VAULT fi
    :: ev == ev_overtaken -> skip
    fi
}

inline wrong_head() {
    if
    :: claim[k].head != head -> s_head = claim[k].head
    :: head > 0 -> s_head = head - 1
    fi
}

inline wrong_to() {
    s_to = (claim[k].by + 1) % WALLETS
}

/* ADA's answers are never forged: one that she once signed is delivered, in time or late, for this claim or another. */
inline replay() {
    if
    :: is_open(0) && claim[0].yes -> s_claim = 0; s_to = claim[0].by; s_head = claim[0].head
    :: is_open(1) && claim[1].yes -> s_claim = 1; s_to = claim[1].by; s_head = claim[1].head
    :: is_open(2) && claim[2].yes -> s_claim = 2; s_to = claim[2].by; s_head = claim[2].head
    :: old_yes[1] -> s_claim = CLAIMS; s_to = 1; s_head = 0
    :: old_yes[2] -> s_claim = CLAIMS; s_to = 2; s_head = 0
    :: old_yes[WALLETS * 2 + 1] -> s_claim = CLAIMS; s_to = 1; s_head = 2
    :: old_yes[WALLETS * 2 + 2] -> s_claim = CLAIMS; s_to = 2; s_head = 2
    :: else -> ev = ev_overtaken /* she has signed none; she cannot raise this either */
    fi;
    WITNESS(3, ev == ev_yes && s_head == 0 && head == 2 && owner == ADA);
    if
    :: skip
    :: s_late = true
    fi
}

inline forget() {
    d_step {
        k = 0; ev = 0; state = 0; next = 0;
        s_by = 0; s_head = 0; s_claim = 0; s_to = 0; s_answer = 0; s_late = false; s_far = false
    }
}

proctype Worker() {
    byte k, ev, state, next;
    byte s_by, s_head, s_claim, s_to, s_answer;
    bool s_late, s_far;
again:
    atomic {
        head < HEADS;
        any_claim_of(k);
        if
        :: claim[k].st == st_none && (k == 0 || claim[k - 1].st != st_none) -> ev = ev_claim
        :: claim[k].st != st_none -> if :: ev = ev_yes :: ev = ev_no :: ev = ev_withdraw :: ev = ev_accept
                                        :: ev = ev_time :: ev = ev_overtaken fi
        :: else -> forget(); goto again
        fi;
        forge();
        judge();
        if
        :: next != st_none && apart -> skip
        :: next != st_none && !apart -> apply(); forget(); goto again
        :: next == st_none -> forget(); goto again
        fi
    }
    /* Others may come between here. */
    atomic {
        if
        :: head < HEADS -> apply()
        :: else -> skip
        fi;
        forget();
        goto again
    }
}

/* ADA's mind, the clock, and the operator. */
proctype World() {
    byte k;
    do
    :: atomic {
        head < HEADS;
        any_claim_of(k);
        if
        :: owner == ADA && claim[k].st == st_pending && claim[k].head == head && living(k) -> claim[k].yes = true
        :: is_open(k) -> claim[k].late = true
        :: k == 0 -> held = !held
        :: else -> skip
        fi;
        k = 0
       }
    od
}

init {
    byte k, ev, state, next;
    byte s_by, s_head, s_claim, s_to, s_answer;
    bool s_late, s_far;
    atomic {
        /* What is over stays over: with every guard and party granted, no row leads from there. */
        no_guard = -1;
        no_who = -1;
        state = st_completed;
        do
        :: state < STATES ->
            ev = 0;
            do
            :: ev < EVENTS -> decide(); assert(next == st_none); ev++
            :: else -> break
            od;
            state++
        :: else -> break
        od;
        state = 0;
        ev = 0;
        c_code {
            now.no_guard = setting("SAT_GUARDS", 0);
            now.no_who = setting("SAT_WHO", 0);
            now.no_row = setting("SAT_ROWS", 0);
            now.apart = setting("SAT_APART", 0);
            now.swept = setting("SAT_SWEPT", 0);
            now.only = setting("SAT_ONLY", 0);
            now.witness = setting("SAT_WITNESS", 0);
            now.limit = setting("SAT_LIMIT", 2);
        };
        run World();
        run Worker();
        if
        :: apart -> run Worker()
        :: else -> skip
        fi
    }
}
