const a=`---
title: Why long articles lose on phones
author: Ida Holm
date: 2024-01-16
lang: en
tags: [phones, attention, long articles]
---

# Why long articles lose on phones

Last winter our group on Lantern Street set itself one question. Each of us had noticed the same thing: we save long
articles on our phones, and we do not read them. The same articles, printed or opened on a laptop at the kitchen table,
mostly get finished. So what does the phone do to them?

We kept a notebook for six weeks. Every time one of us stopped reading something longer than ten minutes, she wrote
down where she was, what she was reading on, and why she stopped. It was no experiment, and twelve people prove
nothing, but the reasons repeated themselves until we could name them.

## Phones are used in short gaps

Long articles get read less on phones mainly because phones are used in short gaps: at the bus stop, in the queue, in
the minutes before a meeting. An article that takes twenty minutes does not fit into a gap of four. The reader knows
this before she begins, and so she saves the article for later, and later is another gap of four minutes.

This was the commonest entry in the notebook. It was rarely the text that ended the reading. The bus came, the queue
moved, the meeting began.

## The phone interrupts its own reader

The second reason is that a phone interrupts the person who reads on it. Messages arrive on the very surface that holds
the article. A reader with a printed page has to get up to be interrupted; a reader on a phone only has to look at the
top of the screen. Each interruption is short, but afterwards the thread of a long argument has to be picked up again,
and a long article has more thread to lose than a short one.

## A small screen hides how far you are

The third reason is that a small screen hides the shape of a long text. On paper you feel how much is left. On a phone
a long article is one narrow column without an end in sight, and readers who cannot see the end give up sooner. Several
of us scrolled to the bottom before we began, only to find out what we were in for, and two of us never scrolled back.

## What it was not

We had expected to write down "eyes hurt" and "letters too small" more often than we did. Discomfort mattered, but less
than we had thought: it made people slow, and rarely made them stop. We also found no sign that people with phones had
become stupid or impatient. The same readers finished novels of six hundred pages on paper in the same six weeks.

My conclusion is a plain one. The phone does not make readers worse; it meets them at worse moments. Whoever wants a
long article to be read on a phone has to write it so that it survives being left and found again.
`,o=`---
title: Gaps of four minutes
author: Jon Berg
date: 2024-02-06
lang: en
tags: [attention, time]
---

# Gaps of four minutes

Ida's note blames the short gaps in which phones are used. I want to look at the gap more closely, because I think it
explains more than it seems to.

For two weeks I carried a kitchen timer and started it whenever I took out my phone to read. The usual stretch was
about four minutes. I had one stretch of half an hour, in a train that stood still outside a tunnel. The rest were
scraps of time that belonged to something else: the kettle, the lift, a friend who was late.

## A gap has a cost at both ends

A gap of four minutes does not hold four minutes of reading. The first half minute goes to finding the article and the
place in it. The last half minute is lost to looking up, because nobody wants to miss the bus. What remains is three
minutes, and for a short text three minutes are enough. For a long text they are a quarter of it at best, and the next
gap begins with finding the place again.

That is why length hurts more on a phone than its minutes say. An article of twenty minutes does not need five gaps of
four. It needs seven or eight, with a search at the beginning of each, and one failed search is enough to lose it.

## We choose what fits

The other effect is quieter. When I have four minutes I do not ask myself what is worth reading. I ask what fits.
Readers on phones choose short texts over long ones before they have read a word of either, because a short text
promises an end within the gap. I found that I opened things marked "two minutes" that did not interest me at all, and
passed by an essay I had looked forward to for days.

## What changed when I made room

In the third week I put the timer away and tried something else. I sat down in the armchair after supper, with the
phone, and read long articles for as long as I liked. I finished all of them. The screen was the same size as before.
It was not the device that had failed, but the moments I had given it.

So I would put it like this: a long article needs a reserved time, and a phone is what we use when no time was
reserved. The two are a bad match by habit and not by nature. A habit can be changed on purpose, though I notice that
I have to do it on purpose every single evening.
`,s=`---
title: What an interruption costs
author: Maren Sund
date: 2024-02-20
lang: en
tags: [attention, notifications]
---

# What an interruption costs

I was the one in the group who defended notifications. A message takes five seconds to read, I said, and then one goes
on. This note is about how I changed my mind.

## The thread, not the seconds

The cost of an interruption is not the seconds it takes but the thread it cuts. A long article builds something: a
claim, a doubt about the claim, an example that answers the doubt. To follow the example you must still hold the doubt
in your head. A message about the weekend puts the weekend there instead. When I went back to my article I could read
every sentence, and no longer knew what the sentences were for.

With short texts this hardly matters. There is little to hold, and going back to the beginning costs nothing. With long
texts it decides everything. An interrupted reader of a long article has three choices: read the last page again, go on
half understanding, or stop. In our notebook the third was the most common, and people gave it the politest names:
"will continue tonight", "needs more attention", "saved".

## The interruption that does not come

Then there is the odd fact that a phone distracts even when it is silent. I put mine into flight mode and still looked
to the top of the screen every few minutes. I was waiting to be interrupted, and waiting takes attention away just as
an interruption does. It took about a week until I stopped glancing.

## What helped

Three things helped, in this order. First, reading in flight mode, once I had got used to it. Second, reading on an old
phone without a card in it, which I now call my book. Third, telling the two people who might really need me to ring
instead of write; everything else can wait for an hour.

What did not help were promises. I promised myself to ignore messages and ignored about half of them. A silent phone
in the next room keeps promises better than I do.

I would not say that interruptions are the main reason why long articles remain unread on phones. The short gaps that
Ida and Jon describe come first. But where the time is there, and the article is good, and the reader still gives up,
I would look for the little bar at the top of the screen.
`,h=`---
title: The narrow column
author: Piet Aalders
date: 2024-03-05
lang: en
tags: [typography, screens]
---

# The narrow column

I set type for thirty years, so the group asked me about letters and lines. I shall try not to be sentimental about
paper.

## Line length

A line of print in a good book holds about sixty to seventy characters. On a phone, at a size that I can read, a line
holds thirty-five or forty. Short lines are easy to find the beginning of, and that is why newspapers use them. But they
break sentences into crumbs. Long sentences, the kind that essays are made of, lie over five or six lines of a phone,
and the eye has to jump back five or six times before the sentence has said what it wants.

It follows that the same article is harder work on a phone if it is written in long sentences, and hardly harder if it
is written in short ones. Writers blame the screen for what their own syntax does on it.

## Paragraphs become walls

The worse problem is the paragraph. A paragraph of a hundred and fifty words is a friendly block on a printed page,
with white below it. On a phone it fills the screen from top to bottom. The reader sees no white at all, only text,
and a screen full of text without a break looks like work. Paragraphs that fit the page become walls on the phone, and
readers turn round at walls.

I tried this with two copies of one article. In the second I broke each paragraph in two and changed no word. The
members of the group who read the second copy on their phones got further, and said it was "lighter written". It was
not written differently. It only had places to rest.

## Size and contrast

Letters that are too small cost speed. Grey letters on white cost speed too, and I have never understood what is gained
by them. Most phones let you enlarge the letters, but then the line holds even less, and the sentence lies over even
more lines. There is no size that is right for the eye and for the sentence at once, only a compromise.

## What I would ask of a page

Give me headings every few hundred words, so that I can see where I am. Break paragraphs earlier than you would for
paper. Leave space between the lines, more than seems needed. And let me make the letters larger without the page
falling apart. None of this makes a long article short, but it takes away the small discomforts that add up with
length; and it is the long text, not the short one, that they add up in.
`,r=`---
title: Scrolling, and knowing where you are
author: Ruth Adeyemi
date: 2024-03-19
lang: en
tags: [scrolling, memory, place]
---

# Scrolling, and knowing where you are

When I remember something from a book I often remember where it stood: low on a left page, near the end of the thick
part. I cannot tell you the page, but my hand knows roughly where to open it. I have no such memory of anything I read
by scrolling.

## Pages give places, scrolling does not

A page holds still. The sentence you read stays where it was while you think about it, and its place becomes part of
what you remember. In a scrolling text every sentence has been everywhere, at the bottom of the screen, in the middle
and at the top. Readers who scroll lose the sense of place, and with it one of the handles by which they remember.

This matters little for a short text, where there are hardly any places to confuse. For a long article it matters
twice: while reading, because you cannot glance back at the definition that stood "just up there", and after a break,
because you cannot find where you were.

## Finding the place again

In the notebook the words "lost my place" appear more often than "bored". A long article on a phone is nearly always
read with breaks, and after each break the place must be found again. Many pages forget it. They load from the top, or
an advertisement arrives late and pushes everything down, and the reader scrolls through what she has read already,
looking for a sentence that seems new. After the second such search most of us gave the article up.

What helps a reader find the place again is simple: a page that opens where she left it, headings she can recognise,
and something that shows how far she has come. A bookmark of cardboard does all three.

## The bar at the side

A progress bar divides the group. I like it: when I can see that I am past the middle, I finish. Jon hates it, because
a long article shows him a bar that does not move. I think we are both right. A bar encourages those who are near the
end and discourages those who have just begun, and so it helps an article of ten minutes and harms one of forty, unless
the forty are cut into parts, each with an end of its own.

## Turning pages on a screen

Some reading programs turn pages instead of scrolling. I read a whole book that way on a phone, and I could say
afterwards where things had stood in it. It is not paper that gives places. It is holding still.
`,i=`Saved for later

By Tomas Lind, for the Lantern Street reading group, April 2024

I have four hundred and twelve articles saved for later. I counted them for this note, and then I looked at what they
have in common. They are long. Whatever I save, I save because it is long; the short ones I read at once.

A list like this is a kind of shelf, but a shelf without backs. Books that I have not read look at me from across the
room. Saved articles do not look at me. They wait at the bottom of a list, each pushed down by the next, and after a
week I no longer know that they are there. Saving an article feels like the first step of reading it, but mostly it is
the last: saving gives us the good feeling of having dealt with the thing.

I asked the others. Of the articles that the group had saved in one month, by our own rough count, about one in six was
opened again, and about one in ten was finished. Nearly all of those that were finished were opened within two days. An
article that is not read within two days of being saved will almost certainly not be read at all.

The ones that did get read had something else in common. Somebody had a reason to come back: a conversation in which
the article had come up, a decision that depended on it, a friend who had asked what we thought of it. Nobody came back
out of duty. I take from this that length is not the enemy. A long article with a reason gets its hour, and a long
article without one gets saved.

So I have changed what I do. When I save something I write one line about why. "For the talk with Ruth." "Because I
doubt it." The line is short, and yet it works better than any reminder, because a reminder tells me that I wanted to
read, and the line tells me what for. If I cannot think of a line, I do not save the article.

My list has thirty-one entries now. I deleted the others without opening them, which took a minute, and so far I have
missed none.
`,d=`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Listening instead</title>
<meta name="author" content="Amara Diallo">
<meta name="date" content="2024-04-30">
</head>
<body>
<article>
<h1>Listening instead</h1>
<p>I am the member of the group who no longer reads long articles on her phone. I have them read to me. This note is
about what is gained and what is lost by it.</p>
<h2>Listening fits the moments that reading does not</h2>
<p>A phone is with me when my hands and eyes are busy: on the bicycle, at the sink, on the way to work. These are not
gaps of four minutes. They are half hours, and there are several of them in a day. Text to speech lets a long article
use the long stretches of the day in which nobody can look at a screen. In the six weeks of the notebook I finished
more long articles by ear than anyone else in the group finished by eye.</p>
<p>The voice also carries me over the dull parts. When I read, a dull paragraph is an invitation to stop. When I
listen, stopping is the thing that takes an effort, and so I stay.</p>
<h2>What is lost</h2>
<p>Listening has one direction. I cannot glance back at a number, and I cannot read a hard sentence twice without taking
my hands out of the water. Arguments that depend on a table, a list or an exact wording do not survive being read aloud.
I remember stories well and figures badly. When I quote something to the group, it is nearly always from a text I have
read and seldom from one I have heard.</p>
<p>Attention wanders as well, and when it wanders, the voice goes on without me. A reader who drifts off stops moving; a
listener who drifts off misses a page and does not notice.</p>
<h2>Reading with both</h2>
<p>What works best for me is to listen first and to read afterwards, only the two or three places that I marked by
pressing a button. For this the program has to show the text at the very place where the voice was. Few do. Where it
works, the ear finds what is worth reading, and the eye then reads it properly.</p>
<p>A synthetic voice is good enough for this. I had thought that I would mind it, and after an evening I did not hear it
any more. Names and abbreviations are still read in strange ways, and a long quotation sounds like the author speaking,
which has led to at least one quarrel in our group.</p>
</article>
</body>
</html>
`,l=`---
title: Instalments
author: Ida Holm
date: 2024-05-14
lang: en
tags: [serial fiction, parts, phones]
---

# Instalments

If long texts do not fit into short gaps, one can make the gaps longer or the texts shorter. There is a third way, and
it is old: one can cut the text into parts that each have an end.

## What the serial knew

Novels once came out week by week in papers and cheap numbers, and people who would never have carried the whole book
read all of it. The writers knew that their readers would be interrupted for seven days, so each part reminded them
gently of where they were, gave them something complete, and left a question open. The question brought them back. A
serial does not fight interruption; it is built for it.

## We tried it on ourselves

In spring we took one essay of about nine thousand words and sent it to our own phones in six parts, one each morning.
Ten of the twelve of us finished it. Of a like essay, sent in one piece a month before, four had been finished. I know
that this proves little, for we were curious and we knew each other. But the reasons people gave were the interesting
thing. "It had an end each day." "I knew that I could finish before the tram." Nobody said that it was shorter, for it
was not.

A long text in parts is read further on phones than the same text in one piece, because every part fits the gap in
which it is read.

## Where to cut

Cutting needs care. A part has to end where a thought ends, and not where the counter says so. We tried equal lengths
first, and it was miserable: parts broke off in the middle of an example and began with "it". What worked were parts of
seven hundred to two thousand words, each with a title of its own, each opening with one sentence that picked up the
thread.

It also needs a writer who agrees to it. Some arguments cannot be cut. They hang together so closely that half of them
is not a smaller argument but a wrong one. For these I know no help other than Jon's armchair.

## Why stories do better than essays

Stories lose less than essays by being read in parts. In a story the reader remembers people and what they want, and
picks up the thread by asking what becomes of them. In an essay the thread is a chain of reasons, and reasons are
forgotten faster than people. Essayists who want to be read in parts should give their reasons a face now and then.
`,w=`---
title: Notes in the margin
author: Ruth Adeyemi
date: 2024-05-28
lang: en
tags: [note-taking, memory]
---

# Notes in the margin

Everyone in the group takes notes on paper, and hardly anyone does on a phone. I asked myself whether this has to do
with our question, and I think it has.

## Notes are how we stay

A pencil keeps a reader in a long text. Whoever marks a sentence has decided that it matters, and a decision keeps one
awake. Whoever writes "no!" into a margin is in a conversation and will want the last word. I have watched myself: with
a pencil in my hand I read to the end of articles that I would have left without one.

On a phone, making a note takes five movements. Press long, drag the two handles, choose "highlight", choose "note",
type with two thumbs. By then the thought has gone. Most of us gave up making notes on phones, and lost with them one of
the things that had kept us reading.

## What notes are for

There are two kinds of notes, and they want different things. The first kind is for the moment: underlining, question
marks, small insults. Nobody reads them again. They do their work while they are made. The second kind is for later, and
it has to be found again. A note for later is worth only as much as the way back to the passage it was made about. A
sentence copied without its source is a rumour.

The phone is bad at the first kind, because it is slow. It could be good at the second, since it could keep the way back
exactly: the article, the sentence, the day. I know a few programs that do it. Most keep a yellow stripe in a place
where I shall never look.

## A habit that works for me

I do not highlight any more. At the end of an article, or where I give it up, I write three lines in one long file: what
it claims, what I doubt, and the one sentence that I want to keep, word for word, with its address. That takes two
minutes. Three lines written after reading are worth more than thirty marks made during it, because to write them I
have to know what the article said.

It has changed what I finish, too. Knowing that I shall have to write down what the thing claims, I notice early when it
claims nothing, and then I stop with a clear conscience. Not every long article that is left unread has deserved better.
`,g=`---
title: What we would tell writers
author: The Lantern Street reading group
date: 2024-06-11
lang: en
tags: [writing, advice, long articles, phones]
---

# What we would tell writers

After half a year we sat down and asked what a writer could do with our notes. We agreed on less than we had hoped, and
on more than we had feared.

## What we agree on

**Say early what the reader gets.** A reader on a phone decides within the first screen whether an article is worth the
gap she has. An opening that takes its time, with the weather and the drive to the interview, is lovely in an armchair
and deadly at a bus stop.

**Write so that a reader can leave and come back.** Long articles on phones are read in pieces whether the writer likes
it or not. Headings that say something, a sentence here and there that picks up the thread, and sections that end where
a thought ends let the reader return without starting again.

**Break paragraphs for the screen.** Piet's experiment convinced all of us: the same words, with twice the breaks, were
read further.

**Show how long it is, and mean it.** We like to be told that an article takes twenty-five minutes. It puts some of us
off, but those who begin anyway have made room for it, and they finish more often.

## What we do not agree on

Jon thinks that long articles do not belong on phones, and that one should stop pretending. Amara thinks that they
belong in the ear. Ida believes in instalments. Maren says that nothing a writer does will help against a telephone that
rings, and that readers have to help themselves. Tomas holds that there are simply too many long articles, and that most
should have been short.

## What we do not know

We looked at twelve people who like to read and who live in one town. We do not know how it is for the young, who have
never read on anything else, nor for those who read on phones because they have no other screen. We did not measure how
much people understood, only how far they got, and these are different things: one may reach the end of an article and
keep nothing, or leave after a page with a thought that lasts.

Nor do we know whether short articles on phones are read any better. They are finished more often. Perhaps that is all
they are.
`,c=Object.assign({"./reading/01-why-long-articles-lose-on-phones.md":a,"./reading/02-gaps-of-four-minutes.md":o,"./reading/03-interruptions.md":s,"./reading/04-the-narrow-column.md":h,"./reading/05-scrolling-and-place.md":r,"./reading/06-saved-for-later.txt":i,"./reading/07-listening-instead.html":d,"./reading/08-instalments.md":l,"./reading/09-notes-in-the-margin.md":w,"./reading/10-what-we-would-tell-writers.md":g});function u(){return Object.entries(c).map(([t,n])=>{const e=t.replace(/^\.\//,"");return{name:e,file:new File([n],e)}})}export{u as exampleFiles};
