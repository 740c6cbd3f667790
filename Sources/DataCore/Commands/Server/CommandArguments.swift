/// What COMMAND DOCS tells of a command's arguments, in Redis 7.0's own words (SETINFO and NO-TOUCH: 7.2's).
///
/// One word an argument: its name, then `/type` (without one it is a token that stands for itself), `#n` the number of the key
/// specification, `=TOKEN` the word that goes before it, `@version` since when, `~version` deprecated since when, `?` optional,
/// `*` repeated, `+` repeated with its token; the arguments inside a `oneof` or a `block` stand in `( )` behind it.
enum CommandArguments {
    /// By command.
    static let words: [String: String] = CommandDetails.spread([
        (
            "key/key#0",
            "get getdel strlen incr decr type ttl pttl expiretime pexpiretime persist object|encoding "
                + "object|refcount object|idletime object|freq shard.where"
        ),
        (
            "key/key#0 value/string condition/oneof@2.6.12? ( nx=NX xx=XX ) get=GET@6.2.0? expiration/oneof? "
                + "( seconds/integer=EX@2.6.12 milliseconds/integer=PX@2.6.12 "
                + "unix-time-seconds/unix-time=EXAT@6.2.0 unix-time-milliseconds/unix-time=PXAT@6.2.0 "
                + "keepttl=KEEPTTL@6.0.0 )",
            "set"
        ),
        (
            "key/key#0 value/string",
            "setnx getset append"
        ),
        (
            "key/key#0 seconds/integer value/string",
            "setex"
        ),
        (
            "key/key#0 milliseconds/integer value/string",
            "psetex"
        ),
        (
            "key/key#0 expiration/oneof? ( seconds/integer=EX milliseconds/integer=PX "
                + "unix-time-seconds/unix-time=EXAT unix-time-milliseconds/unix-time=PXAT persist=PERSIST )",
            "getex"
        ),
        (
            "key/key#0*",
            "mget del unlink exists touch watch"
        ),
        (
            "key_value/block* ( key/key#0 value/string )",
            "mset msetnx"
        ),
        (
            "key/key#0 start/integer end/integer",
            "getrange substr"
        ),
        (
            "key/key#0 offset/integer value/string",
            "setrange"
        ),
        (
            "key/key#0 increment/integer",
            "incrby"
        ),
        (
            "key/key#0 decrement/integer",
            "decrby"
        ),
        (
            "key/key#0 increment/double",
            "incrbyfloat"
        ),
        (
            "key1/key#0 key2/key#0 len=LEN? idx=IDX? len/integer=MINMATCHLEN? withmatchlen=WITHMATCHLEN?",
            "lcs"
        ),
        (
            "key/key#0 offset/integer value/integer",
            "setbit"
        ),
        (
            "key/key#0 offset/integer",
            "getbit"
        ),
        (
            "key/key#0 index/block? ( start/integer end/integer index_unit/oneof@7.0.0? ( byte=BYTE bit=BIT ) "
                + ")",
            "bitcount"
        ),
        (
            "key/key#0 bit/integer index/block? ( start/integer end_index/block? ( end/integer "
                + "index_unit/oneof@7.0.0? ( byte=BYTE bit=BIT ) ) )",
            "bitpos"
        ),
        (
            "operation/string destkey/key#0 key/key#1*",
            "bitop"
        ),
        (
            "key/key#0 operation/oneof?* ( encoding_offset/block=GET ( encoding/string offset/integer ) "
                + "write/block ( wrap_sat_fail/oneof=OVERFLOW? ( wrap=WRAP sat=SAT fail=FAIL ) "
                + "write_operation/oneof ( encoding_offset_value/block=SET ( encoding/string offset/integer "
                + "value/integer ) encoding_offset_increment/block=INCRBY ( encoding/string offset/integer "
                + "increment/integer ) ) ) )",
            "bitfield"
        ),
        (
            "key/key#0 encoding_offset/block=GET?*+ ( encoding/string offset/integer )",
            "bitfield_ro"
        ),
        (
            "key/key#0 seconds/integer condition/oneof@7.0.0? ( nx=NX xx=XX gt=GT lt=LT )",
            "expire"
        ),
        (
            "key/key#0 milliseconds/integer condition/oneof@7.0.0? ( nx=NX xx=XX gt=GT lt=LT )",
            "pexpire"
        ),
        (
            "key/key#0 unix-time-seconds/unix-time condition/oneof@7.0.0? ( nx=NX xx=XX gt=GT lt=LT )",
            "expireat"
        ),
        (
            "key/key#0 unix-time-milliseconds/unix-time condition/oneof@7.0.0? ( nx=NX xx=XX gt=GT lt=LT )",
            "pexpireat"
        ),
        (
            "key/key#0 newkey/key#1",
            "rename renamenx"
        ),
        (
            "source/key#0 destination/key#1 destination-db/integer=DB? replace=REPLACE?",
            "copy"
        ),
        (
            "cursor/integer pattern/pattern=MATCH? count/integer=COUNT? type/string=TYPE@6.0.0?",
            "scan"
        ),
        (
            "pattern/pattern",
            "keys"
        ),
        (
            "async/oneof? ( async=ASYNC@4.0.0 sync=SYNC@6.2.0 )",
            "flushdb flushall"
        ),
        (
            "message/string?",
            "ping"
        ),
        (
            "message/string",
            "echo"
        ),
        (
            "arguments/block? ( protover/integer username_password/block=AUTH? ( username/string "
                + "password/string ) clientname/string=SETNAME? )",
            "hello"
        ),
        (
            "username/string@6.0.0? password/string",
            "auth"
        ),
        (
            "index/integer",
            "select"
        ),
        (
            "connection-name/string",
            "client|setname"
        ),
        (
            "normal_master_replica_pubsub/oneof=TYPE@5.0.0? ( normal=NORMAL master=MASTER replica=REPLICA "
                + "pubsub=PUBSUB ) id/block=ID@6.2.0? ( client-id/integer* )",
            "client|list"
        ),
        (
            "filter/oneof ( ip:port/string~2.8.12 new-format/oneof* ( client-id/integer=ID@2.8.12? "
                + "normal_master_slave_pubsub/oneof=TYPE@2.8.12? ( normal=NORMAL master=MASTER@3.2.0 slave=SLAVE "
                + "replica=REPLICA@5.0.0 pubsub=PUBSUB ) username/string=USER? ip:port/string=ADDR? "
                + "ip:port/string=LADDR@6.2.0? yes/no/string=SKIPME? ) )",
            "client|kill"
        ),
        (
            "on_off_skip/oneof ( on=ON off=OFF skip=SKIP )",
            "client|reply"
        ),
        (
            "timeout/integer mode/oneof@6.2.0? ( write=WRITE all=ALL )",
            "client|pause"
        ),
        (
            "client-id/integer timeout_error/oneof? ( timeout=TIMEOUT error=ERROR )",
            "client|unblock"
        ),
        (
            "enabled/oneof ( on=ON off=OFF )",
            "client|no-evict client|no-touch"
        ),
        (
            "numreplicas/integer timeout/integer",
            "wait"
        ),
        (
            "command-name/string?*",
            "command|docs command|info"
        ),
        (
            "filterby/oneof=FILTERBY? ( module-name/string=MODULE category/string=ACLCAT "
                + "pattern/pattern=PATTERN )",
            "command|list"
        ),
        (
            "section/string?*",
            "info"
        ),
        (
            "key/string",
            "cluster|keyslot"
        ),
        (
            "slot/integer",
            "cluster|countkeysinslot"
        ),
        (
            "parameter/block* ( parameter/string )",
            "config|get"
        ),
        (
            "parameter_value/block* ( parameter/string value/string )",
            "config|set"
        ),
        (
            "count/integer?",
            "slowlog|get"
        ),
        (
            "key/key#0 count/integer=SAMPLES?",
            "memory|usage"
        ),
        (
            "attr/oneof ( libname/string=LIB-NAME libver/string=LIB-VER )",
            "client|setinfo"
        ),
        (
            "from/string to/string count/integer=LIMIT? reverse=REV?",
            "shard.range"
        ),
    ])
}
