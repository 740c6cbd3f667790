/// Every command this version knows. Families are in the order of INTERFACE.md's list.
enum CommandID: UInt8, Sendable, CaseIterable {
    // Connection and server
    case ping, echo, hello, auth, select, quit, reset, client, command, info, readonly, readwrite, asking, time, wait
    case cluster, config, slowlog, object, memory
    // Strings
    case get, set, setnx, setex, psetex, getset, getdel, getex, mget, mset, msetnx, append, strlen, getrange, substr
    case setrange, incr, incrby, decr, decrby, incrbyfloat, lcs
    // Bits
    case setbit, getbit, bitcount, bitpos, bitop, bitfield, bitfieldRo
    // Keys
    case del, unlink, exists, touch, type, ttl, pttl, expire, pexpire, expireat, pexpireat, expiretime, pexpiretime
    case persist, rename, renamenx, copy, scan, keys, dbsize, randomkey, flushdb, flushall
    // Transactions
    case multi, exec, discard, watch, unwatch
    // Own
    case shardWhere, shardRange, shardStatus, shardStamp
    // Between nodes: a gateway's parts of commands that walk a keyspace, and its transactions
    case shardScan, shardCount, shardFlush, shardRandom, shardExec, shardWalk, shardRangePart, shardWatch
    // Put by the host behind the commands of a client whose next bytes are no request
    case shardRefuse
    // Subcommands
    case clientId, clientGetname, clientSetname, clientSetinfo, clientInfo, clientList, clientKill, clientReply
    case clientPause, clientUnpause, clientUnblock, clientNoEvict, clientNoTouch, commandCount, commandDocs
    case commandInfo, commandList, commandGetkeys, clusterInfo, clusterNodes, clusterSlots, clusterShards
    case clusterMyid, clusterKeyslot, clusterCountkeysinslot, configGet, configSet, configResetstat
    case configRewrite, slowlogGet, slowlogLen, slowlogReset, slowlogHelp, objectEncoding, objectRefcount
    case objectIdletime, objectFreq, memoryUsage
    case clientHelp, commandHelp, clusterHelp, configHelp, objectHelp, memoryHelp
}

extension CommandID {
    /// Whether it is obeyed at once after MULTI, instead of queued.
    var runsInsideMulti: Bool {
        switch self {
        case .multi, .exec, .discard, .watch, .quit, .reset, .shardRefuse: true
        default: false
        }
    }

    /// Whether MULTI refuses it though Redis would not: a walk over a store cannot be waited for inside EXEC.
    var mayNotQueue: Bool { self == .clusterCountkeysinslot }
}
