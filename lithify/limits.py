"""Every number that bounds lithify, with its unit and its reason, on one page.

Formats are read by code that trusts nothing: a number here is checked before any memory is asked for.
"""

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# --- frames (codecs/FRAME.md) -------------------------------------------------------------------------
CHUNK_BYTES_MAX = 64 * MIB  # one chunk is decoded in memory, so this bounds every decoder's output buffer
CHUNK_STORED_BYTES_MAX = CHUNK_BYTES_MAX + 64 * KIB  # a payload is never usefully larger than what it decodes to
CHUNK_COUNT_MAX = 4_000_000  # 4 TB in 1 MiB chunks; the table is then about 60 MB
TRAILER_BYTES_MAX = 128 * MIB  # the table above, with room
SHARED_BYTES_MAX = 16 * MIB  # dictionaries and headers that every chunk of a format needs
PARAMS_BYTES_MAX = 64 * KIB
FORMATS_PER_FRAME_MAX = 64
ORIGINAL_BYTES_MAX = 1 << 50  # 1 PiB: beyond any file system in use, small enough for float sums in reports
FRAME_OVERHEAD_BYTES = 64  # the promise "never bigger": at most this and FRAME_OVERHEAD_FRACTION more
FRAME_OVERHEAD_FRACTION = 0.0001
FRAME_SLACK_BYTES = 1 * MIB  # a codec's attempt may grow this far beyond its part before it is stopped

# --- codecs -------------------------------------------------------------------------------------------
PROBE_BYTES = 768 * KIB  # what a route may look at: three pieces of 256 KiB
STAGE_CHUNK_BYTES = 1 * MIB  # the staged copy is read in ranges before any worker has seen it
PART_BYTES = 64 * MIB  # an original is handed to codecs in pieces of at most this
SEAM_BYTES = 4 * MIB  # how far before an even cut a line end is looked for, where parts should end at one
PPMD_MEMORY_BYTES_MAX = 512 * MIB
DICTIONARY_BYTES_MAX = 1 * MIB
SHORT_BYTES_MAX = 32 * KIB  # of a log that is tried as text too: what texts taught is worth more than its own templates

TEXT_GROUP_BYTES_MAX = 4 * MIB  # of text that is mixed as a whole: 8 s each way, also for a hostile chunk
TEXT_INSIDE_BYTES_MAX = 1 * MIB  # of a text, or of short texts together, inside an archive, for there may be many
TEXT_DEFAULT_BYTES_MAX = 8 * MIB  # of an original that effort `default` mixes as text: 14 to 32 s (text/FORMAT.md)
TEXT_NETWORK_BYTES_MAX = 1 * MIB  # of text that a network reads along with: 40 s each way, also for a hostile chunk

ARRAYS_REWRITTEN_BYTES_MAX = 64 * MIB  # of a file of arrays that is written anew, all in memory, to reach its values
OPENED_BYTES_MAX = 256 * MIB  # plain bytes of the deflate streams of one original; what is beyond stays as it is
STREAM_PIECE_BYTES_MAX = 48 * MIB  # plain bytes of a piece of a stream that is opened in pieces: 400 MiB at work
OPENED_BLOCKS_MAX = MIB  # of one stream; a log that is flushed at every line has two for each

IMAGE_PLAIN_BYTES_MAX = 64 * MIB  # of one picture before it is deflated: 30 times as much memory, 2 GiB
SOUND_GROUP_BYTES_MAX = 16 * MIB  # of samples that are coded as a whole: 6 s each way
SOUND_COARSE_BITS_MAX = 16  # that the filters of a coder of sound do without, of samples of up to 32 bits
STILL_PIXELS_MAX = 50_000_000  # of one picture that may come back in another form: what phones take, some 2 GiB at work
IMAGE_SAMPLES_MAX = 1 << 27  # of one picture, read from its header before it is decoded: 100 megapixels and a border

FFMPEG_WALL_SECONDS = 3000.0  # of one run of ffmpeg, below those of the child that started it
FILM_BYTES_MAX = 512 * MIB  # of a film that is made anew: it and what comes back are compared in memory
FILM_FRAMES_MAX = 1_000_000  # of a film that is looked at frame by frame: four hours at 60 a second
FILM_STREAMS_MAX = 64  # of a film that is written anew
FILM_PIXELS_MAX = 1 << 26  # of one picture of a film: 8K and a half

LM_GROUP_BYTES_MAX = 1 * MIB  # of text that a language model tells as a whole: minutes each way with a large model
LM_FILE_BYTES_MAX = 8 * GIB  # of a language model in whole numbers, mapped by whoever reckons with it
LM_STREAMS_BYTES_MAX = 1 * GIB  # of what a language model remembers of all streams that go in step
LM_NATIVE_BYTES = 8 * GIB  # of address space that torch takes for itself, most of it never used
LM_NATIVE_MEMORY_TIMES = 6  # as below, of a model in floating point: 16 bits become 32, and are read whole
LM_MEMORY_TIMES = 3  # a child may use so many times the length of a model beside what others may: the file, keys

# --- primers (codecs/README.md) -----------------------------------------------------------------------
PRIMER_BYTES_MAX = 4 * MIB  # what earlier originals teach; read whole by whoever encodes or decodes with it
PRIMERS_PER_TASK_MAX = 8  # 32 MiB: what a child is given still fits one message with the frames beside them
PRIMED_BYTES_MAX = 16 * MIB  # a longer original has enough of its own to learn from: no second run of its codec
PRIMER_SAMPLES_MAX = 64  # originals that a primer is made from, the newest first
PRIMER_SAMPLE_BYTES = 1 * MIB  # of each
PRIMER_SAMPLES_BYTES = 8 * MIB  # of all: eight large ones, or the whole of many small ones
PRIMER_OBJECTS_MIN = (
    2  # logs or texts in a collection before its first primer; it is renewed when there are twice as many
)

# --- sandbox ------------------------------------------------------------------------------------------
CHILD_MEMORY_BYTES = 3 * GIB  # address space of a codec's child; xz -9 on 64 MiB takes about 0.7 GiB
CHILD_WALL_SECONDS = 3600.0  # for a task about no more than a part; in longer ones, between two signs of progress
CHILD_WALL_SECONDS_PER_MIB = (
    60.0  # for each MiB beyond a part: the slowest codecs take half of it, and machines are busy
)
CHILD_GRACE_SECONDS = 2.0  # between asking a process group to end and killing it
CHILD_TASKS_MAX = 500  # a child is replaced after this many tasks, so that a slow leak stays small
CHILDREN_MAX = 64  # children of one role at one time; an idle one costs a few MiB
CHILD_WAIT_SECONDS = 30.0  # for a free child, before the caller is told to come back
CHILD_MESSAGE_BYTES_MAX = 64 * MIB + 64 * KIB  # one message between worker and child
KERNELS_SECONDS = 180  # of a processor: for numba to make the kernels of one codec, once per release; no task's time
KERNELS_WALL_TIMES = 5  # so many times as long on a busy machine, or behind another process that makes the same
KERNELS_RETRY_SECONDS = 600.0  # between two tries, when it failed

# --- store --------------------------------------------------------------------------------------------
SMALL_BYTES = 128 * KIB  # staged frames up to this share a pack; larger ones get a file of their own
PACK_BYTES_MAX = 64 * MIB  # a full pack; sweeping rewrites at most this much at once
PACK_ENTRY_BYTES_MAX = 16 * MIB
PACK_ADOPT_TRIES = 8  # packs of ended processes looked at, fullest first, before a new one is made
PACK_LIVE_FRACTION_MIN = 0.5  # a pack with less living in it is rewritten
RECORD_BYTES_MAX = 1 * MIB
COMMIT_GROUP_MAX = 1024  # changes that share one fsync and one transaction
SQLITE_BUSY_SECONDS = 30.0
GRACE_SECONDS = 24 * 3600.0  # between condemning a blob and unlinking it, by the database's clock
IDEMPOTENCY_SECONDS = 24 * 3600.0
RESERVE_BYTES = 1 * MIB  # on disk, for a catalog that is opened and for removals when nothing else is left
COPY_BYTES = 1 * MIB  # buffer of every copy loop

# --- slices of arrays (codecs/arrays/cutting.py) ---------------------------------------------------------
SLICE_BLOCK_BYTES = 16 * MIB  # of a slice decoded before any of it is sent: memory stays bounded however long it is
SLICE_HEAD_BYTES_MAX = 64 * KIB  # of what is said before its first byte
ARRAYS_TOLD_BYTES_MAX = 32 * MIB  # of what a file's variables and their attributes may take to be told

# --- growing objects (workers/append.py) ---------------------------------------------------------------
CHECKPOINT_BYTES = 16 * MIB  # of an endless body before what came is made durable, readable and part of the object
CHECKPOINT_GROWTH = 8  # or an eighth of the object, if that is more: each checkpoint copies what was there, packed
CHECKPOINT_SECONDS = 10.0  # since the first byte that is not durable yet; less often is data lost, more often is work
CHECKPOINT_PAUSE = 10  # but at least so many times as long as the last one took: copying is a tenth of the time
CHECKPOINT_GRACE_SECONDS = 60.0  # between replacing a checkpoint and unlinking it: for readers about to open it
LINE_NEAR_BYTES = 64 * KIB  # a checkpoint ends at a line end if one is so near; the begun line waits for the next
APPENDERS_MAX = 32  # endless bodies side by side: each has a few MiB of blocks, and a copy of its object while it grows
APPEND_IDLE_SECONDS = 24 * 3600.0  # a log may be silent for a night; dead peers are found by TCP's own probes
APPEND_SMALL_BYTES = 8 * KIB  # staged frames up to this share a pack: an outgrown file is removed, an entry stays
APPEND_HASHES_MAX = 256  # objects of which a process remembers how far their SHA-256 had come
REPACK_SECONDS = 300.0  # without another append, then the densest form is looked for
FOLLOW_RETRY_SECONDS = 3600.0  # `put --follow` holds what it has while a server is away, then gives up

# --- names --------------------------------------------------------------------------------------------
COLLECTION_NAME_BYTES_MAX = 128
OBJECT_NAME_BYTES_MAX = 1024
CONTENT_TYPE_BYTES_MAX = 256
LIST_PAGE_MAX = 1000

# --- jobs ---------------------------------------------------------------------------------------------
LEASE_SECONDS = 30.0
LEASE_SECONDS_MAX = 3600.0  # a lease that ends later than this was written while the clock was wrong
HEARTBEAT_SECONDS = 10.0  # three beats may be missed before another worker takes the job
JOB_ATTEMPTS_MAX = 3
BACKOFF_SECONDS = (2.0, 30.0, 300.0)
POLL_SECONDS = 0.5
UNSERVED_SECONDS = 60.0  # nobody is about to take what is waited for: two leases, in which a worker would come back
SMALL_BATCH = 64  # small originals encoded under one claim and published under one commit

# --- searching ----------------------------------------------------------------------------------------
PATTERN_BYTES_MAX = 4 * KIB
LINE_BYTES_MAX = 128 * MIB  # a line that lies in several chunks is put together in memory
SEARCH_LINES_AT_ONCE = 4096  # compared between two signs of life; what is found travels in batches of at most these
SEARCH_STEP_SECONDS = 60.0  # without a sign of life over REST: a pattern may go through a line in exponential time
SEARCH_SECONDS = 600.0  # for one request over REST
SEARCHES_MAX = 8  # over REST side by side: each has a decoding process that is never idle
REASONS_MAX = 8  # that one codec gives for keeping something otherwise than it was asked to
REASON_LENGTH_MAX = 400
TRIES_MAX = 120  # rows of what coders inside a codec made of the things in an original; of more things nothing is told
CONTENTS_MAX = 1000  # things told of what lies inside an original; of more, those of one kind are told together
NAMES_BYTES_MAX = 8 * MIB  # of headers that are decoded to tell what members are called: a second of PPMd
MEMBER_NAME_MAX = 1024  # characters of a member's name that are shown
TEMPLATES_MAX = 100_000  # kept while those of an object's chunks are put together; beyond, the rarest are only counted

# --- weighing texts (codecs/text/costs.py, likeness.py) -----------------------------------------------
WEIGHED_BYTES_MAX = 4 * MIB  # of a text whose lines are weighed: 8 s, and 90 bytes of memory for each of its bytes
WEIGHED_LINES_MAX = 10_000  # told of; their figures are some hundred bytes each
WEIGHED_STRETCHES_MAX = 600  # of which a curve is drawn: one for each point of its width
WEIGHED_STRETCH_BYTES_MIN = 16
LINE_SHOWN_BYTES = 1 * KIB  # of each line, beside its figures
LIKE_BYTES = 64 * KIB  # of the object that others are compared with: its beginning
LIKE_TAUGHT_BYTES = 128 * KIB  # of each of the others: with those above, 0.4 s
LIKE_LISTED_MAX = 100_000  # objects of the catalog from which those to be read are chosen, by kind and length
LIKE_READ_MAX = 256  # objects whose beginnings are read and sketched
LIKE_DECODED_BYTES = 16 * MIB  # of originals decoded for that, up to 1 MiB of each: 32 s for the slowest codec, and
# the most that their beginnings, which travel to one child together, can have
LIKE_MEASURED_MAX = 32  # objects that are measured, those that share most: 13 s

# --- doors --------------------------------------------------------------------------------------------
UPLOAD_IDLE_SECONDS = 60.0
UPLOAD_BYTES_MAX = 1 << 45  # 32 TiB
UPLOADS_MAX = 32  # large uploads side by side: each has a thread and up to 4 MiB of blocks
UPLOAD_WAIT_SECONDS = 10.0  # for one of those places, then 503
DOWNLOAD_IDLE_SECONDS = 60.0  # a reader that takes nothing for so long is let go, with the decoder it holds
REQUEST_JSON_BYTES_MAX = 1 * MIB
REQUESTS_MAX = 1024  # answered side by side; more are told to come back
CONNECTIONS_MAX = 4096  # open at once; more are closed at once
HEAD_BYTES_MAX = 64 * KIB  # request line and headers; a name takes at most 3 KiB of it
HEAD_SECONDS = 20.0  # for a whole head to arrive
KEEP_ALIVE_SECONDS = 75  # between two requests of one connection
LINGER_BYTES_MAX = 4 * MIB  # read and thrown away after an early answer, so that the sender gets to see it
LINGER_SECONDS = 2.0
SHUTDOWN_SECONDS = 30  # for requests under way to end after SIGTERM
API_KEY_BYTES_MAX = 256
