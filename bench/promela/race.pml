/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The race between two enactors, five plans and clean-up, for Spin 6.5. It behaves step by step as
 * the model of github.com/wyounas/aws-dns-outage-oct-2025-modeling does, so that the figures which
 * are published for that one can be compared: 17,905 states stored until the first violation,
 * 55 steps to the nearest one, 163,166 states in all. src/lab/race.c is the same once more.
 *
 * Three of its traits are kept although nothing in the outage asks for them: both enactors note
 * what they work on in one place; one that installs a plan older than the newest ever installed
 * waits for ever; the planner waits while four plans are in the queue.
 *
 *   spin -a race.pml && cc -O2 -DSAFETY -o pan pan.c
 *   ./pan -N answered_plan_is_there             until the first violation
 *   ./pan -c0 -N answered_plan_is_there         the whole space
 *   cc -O2 -DSAFETY -DBFS ...                   the nearest violation
 *   spin -o2 -a race.pml && cc -O2 -DSAFETY -DNOREDUCE -DNOCLAIM -o pan pan.c
 *   ./pan -E -c0                                without short cuts: 999,255 states
 */
#define PLANS 5
#define AGE 2 /* so much older than its own is what clean-up deletes */

chan queue = [4] of { byte };
byte published;
byte working_on;
byte answer;  /* the plan that the endpoint answers with; 0: none */
bool answers;
bool ever;    /* something was installed */
byte newest;  /* of what was ever installed */
bool gone[PLANS + 1];

active proctype planner()
{
	byte next = 1;

	do
	:: next <= PLANS ->
		published = next;
		queue ! next;
		printf("plan %d is there\n", next);
		next++
	:: next > PLANS -> break
	od;
	printf("no more plans\n")
}

/* One plan, if it is older than mine by AGE and still there. */
inline clean(plan)
{
	if
	:: mine - plan >= AGE && !gone[plan] ->
		printf("%d is deleted after %d\n", plan, mine);
		gone[plan] = true;
		if
		:: answer == plan ->
			printf("and was the answer\n");
			answers = false;
			answer = 0;
			printf("nothing answers\n")
		:: else -> skip
		fi
	:: else -> skip
	fi
}

inline install()
{
	answer = mine;
	answers = true;
	ever = true;
	if
	:: mine > newest -> newest = mine
	fi
}

active [2] proctype enactor()
{
	byte mine, seen, plan;

	do
	:: queue ? mine ->
		printf("takes %d\n", mine);
		working_on = mine;
		seen = answer;
		if
		:: mine > seen || seen == 0 ->
			printf("%d is newer than %d\n", mine, seen);
			if
			:: !gone[mine] ->
				printf("installs %d\n", mine);
				install();
				printf("cleans up after %d\n", mine);
				plan = 1;
				do
				:: plan < mine -> clean(plan); plan++
				:: plan >= mine -> break
				od
			:: else -> printf("%d is gone\n", mine)
			fi
		:: else -> printf("%d is not newer than %d\n", mine, seen)
		fi;
		working_on = 0
	:: empty(queue) && published >= PLANS -> break
	od;
	printf("stops\n")
}

ltl answered_plan_is_there { [] (answer > 0 -> !gone[answer]) }

/* Not asked for. That it is there makes Spin treat more steps as visible: 162,358 states else. */
ltl older_plan_answers { [] (ever && newest > answer && answer > 0 -> answers) }
