"""Twisted: the reactor, its delayed calls, transports and Deferreds, on the select, poll, epoll and asyncio reactors."""

DISTRIBUTION = "Twisted"
VERSIONS = ("24.", "25.", "26.")
REALM = "twisted"

METHODS = (
    ("FT301", "loop-starts", "twisted.internet.base:ReactorBase", "startRunning"),
    (
        "FT301",
        "loop",
        "twisted.internet.base:ReactorBase",
        "callLater callWhenRunning stop iterate resolve installResolver installNameResolver addSystemEventTrigger "
        "removeSystemEventTrigger fireSystemEvent disconnectAll suggestThreadPoolSize",
    ),
    # The end of the main loop, whoever asked for it; judged before that.
    ("FT301", "loop-stops", "twisted.internet.base:ReactorBase", "crash"),
    ("FT301", "loop", "twisted.internet.base:ReactorBase", "crash"),
    (
        "FT301",
        "loop",
        "twisted.internet.posixbase:PosixReactorBase",
        "spawnProcess listenTCP connectTCP listenSSL connectSSL listenUDP listenMulticast listenUNIX connectUNIX "
        "listenUNIXDatagram "
        "connectUNIXDatagram adoptStreamPort adoptStreamConnection adoptDatagramPort",
    ),
    ("FT301", "loop", "twisted.internet.selectreactor:SelectReactor", "addReader addWriter removeReader removeWriter removeAll"),
    ("FT301", "loop", "twisted.internet.pollreactor:PollReactor", "addReader addWriter removeReader removeWriter removeAll"),
    ("FT301", "loop", "twisted.internet.epollreactor:EPollReactor", "addReader addWriter removeReader removeWriter removeAll"),
    (
        "FT301",
        "loop",
        "twisted.internet.asyncioreactor:AsyncioSelectorReactor",
        "addReader addWriter removeReader removeWriter removeAll iterate stop crash callLater",
    ),
    ("FT301", "attribute-only:resetter", "twisted.internet.base:DelayedCall", "cancel reset delay"),
    (
        "FT302",
        "first-use",
        "twisted.internet.defer:Deferred",
        "callback errback cancel pause unpause addCallbacks addCallback addErrback addBoth chainDeferred addTimeout asFuture",
    ),
    # Whether or not somebody waits, and a Deferred fires.
    ("FT302", "first-use", "twisted.internet.defer:DeferredQueue", "put get"),
    ("FT302", "first-use", "twisted.internet.defer:DeferredLock", "acquire release"),
    ("FT302", "first-use", "twisted.internet.defer:DeferredSemaphore", "acquire release"),
    ("FT301", "attribute-only:clock", "twisted.internet.task:LoopingCall", "start stop reset"),
    ("FT301", "first-use", "twisted.internet.task:CooperativeTask", "pause resume stop"),
    ("FT301", "first-use", "twisted.internet.task:Cooperator", "coiterate cooperate start stop"),
    (
        "FT303",
        "attribute-only:reactor",
        "twisted.internet.abstract:FileDescriptor",
        "write writeSequence loseConnection loseWriteConnection startReading stopReading startWriting stopWriting pauseProducing "
        "resumeProducing stopProducing stopConsuming registerProducer unregisterProducer",
    ),
    ("FT303", "attribute-only:reactor", "twisted.internet.tcp:_AbortingMixin", "abortConnection"),
    ("FT303", "attribute-only:reactor", "twisted.internet.tcp:Port", "startListening loseConnection"),
    (
        "FT303",
        "attribute-only:reactor",
        "twisted.internet.udp:Port",
        "startListening stopListening loseConnection write writeSequence connect",
    ),
    ("FT303", "attribute-only:reactor", "twisted.internet.unix:DatagramPort", "write"),
    ("FT303", "attribute-only:reactor", "twisted.internet.unix:ConnectedDatagramPort", "write"),
    ("FT303", "attribute-only:reactor", "twisted.internet.base:BaseConnector", "connect disconnect stopConnecting"),
    (
        "FT303",
        "attribute-only:_reactor",
        "twisted.internet.process:Process",
        "write writeToChild closeChildFD closeStdin closeStdout closeStderr loseConnection signalProcess "
        "pauseProducing resumeProducing "
        "stopProducing?",
    ),
)

BIRTHS = (
    ("loop-born", "twisted.internet.base:ReactorBase"),
    ("born", "twisted.internet.base:DelayedCall"),
    ("first-use-born", "twisted.internet.defer:Deferred"),
    ("first-use-born", "twisted.internet.defer:DeferredQueue"),
    ("first-use-born", "twisted.internet.defer:DeferredLock"),
    ("first-use-born", "twisted.internet.defer:DeferredSemaphore"),
    ("first-use-born", "twisted.internet.task:CooperativeTask"),
    ("first-use-born", "twisted.internet.task:Cooperator"),
    ("born", "twisted.internet.abstract:FileDescriptor"),
    ("born", "twisted.internet.base:BaseConnector"),
)

HAND_OVERS = (
    "twisted.internet.base:ReactorBase.callFromThread",
    "twisted.internet.asyncioreactor:AsyncioSelectorReactor.callFromThread",
    "twisted.internet.threads:blockingCallFromThread",
)

THREAD_SAFE = (
    "twisted.internet.base:ReactorBase.wakeUp",
    "twisted.internet.base:ReactorBase.callInThread",
)
