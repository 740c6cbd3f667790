// Replies of redis-server 7.0.15, recorded from the real one on a fresh connection: command, reply.
enum RecordedReplies {
    static let connection: [(command: String, reply: String)] = [
        ("ping", "+PONG\r\n"),
        ("ping a", "$1\r\na\r\n"),
        ("ping a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
        ("echo", "-ERR wrong number of arguments for 'echo' command\r\n"),
        ("echo hello", "$5\r\nhello\r\n"),
        ("client getname", "$-1\r\n"),
        ("client setname x", "+OK\r\n"),
        ("client getname", "$1\r\nx\r\n"),
        ("client setname \"a b\"", "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"),
        ("client setname \"\"", "+OK\r\n"),
        ("client getname", "$-1\r\n"),
        ("hello 9", "-NOPROTO unsupported protocol version\r\n"),
        ("hello x", "-ERR Protocol version is not an integer or out of range\r\n"),
        ("hello 99999999999999999999", "-ERR Protocol version is not an integer or out of range\r\n"),
        ("hello 2 foo", "-ERR Syntax error in HELLO option 'foo'\r\n"),
        ("hello 2 auth", "-ERR Syntax error in HELLO option 'auth'\r\n"),
        ("hello 2 setname \"a b\"", "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"),
        ("hello 2 auth foo bar", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        (
            "auth x",
            "-ERR AUTH <password> called without any password configured for the default user. Are you su"
                + "re your configuration is correct?\r\n"
        ),
        ("auth default x", "+OK\r\n"),
        ("auth foo bar", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        ("auth a b c", "-ERR syntax error\r\n"),
        ("auth", "-ERR wrong number of arguments for 'auth' command\r\n"),
        ("select -1", "-ERR DB index is out of range\r\n"),
        ("select 99", "-ERR DB index is out of range\r\n"),
        ("select", "-ERR wrong number of arguments for 'select' command\r\n"),
        ("time x", "-ERR wrong number of arguments for 'time' command\r\n"),
        ("wait 0 0", ":0\r\n"),
        ("wait x 0", "-ERR value is not an integer or out of range\r\n"),
        ("wait 0 x", "-ERR timeout is not an integer or out of range\r\n"),
        ("wait 0 -1", "-ERR timeout is negative\r\n"),
        ("wait -1 0", ":0\r\n"),
        ("wait 9223372036854775808 0", "-ERR value is not an integer or out of range\r\n"),
        ("readonly", "-ERR This instance has cluster support disabled\r\n"),
        ("readwrite", "-ERR This instance has cluster support disabled\r\n"),
        ("asking", "-ERR This instance has cluster support disabled\r\n"),
        ("reset", "+RESET\r\n"),
        ("reset x", "-ERR wrong number of arguments for 'reset' command\r\n"),
    ]
    static let client: [(command: String, reply: String)] = [
        ("client", "-ERR wrong number of arguments for 'client' command\r\n"),
        ("client foo", "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"),
        ("client getname x", "-ERR wrong number of arguments for 'client|getname' command\r\n"),
        ("client kill", "-ERR wrong number of arguments for 'client|kill' command\r\n"),
        ("client kill 1.1.1.1:1", "-ERR No such client\r\n"),
        ("client kill id 999999", ":0\r\n"),
        ("client kill id x", "-ERR client-id should be greater than 0\r\n"),
        ("client kill id 0", "-ERR client-id should be greater than 0\r\n"),
        ("client kill id", "-ERR No such client\r\n"),
        ("client kill id 5 foo", "-ERR syntax error\r\n"),
        ("client kill foo bar", "-ERR syntax error\r\n"),
        ("client kill skipme yes id 99999", ":0\r\n"),
        ("client kill skipme maybe", "-ERR syntax error\r\n"),
        ("client kill type foo", "-ERR Unknown client type 'foo'\r\n"),
        ("client kill type pubsub", ":0\r\n"),
        ("client kill user nobody", "-ERR No such user 'nobody'\r\n"),
        ("client kill user default skipme yes id 99999", ":0\r\n"),
        ("client list type foo", "-ERR Unknown client type 'foo'\r\n"),
        ("client list type master", "$0\r\n\r\n"),
        ("client list type", "-ERR syntax error\r\n"),
        ("client list id", "-ERR syntax error\r\n"),
        ("client list id 99999", "$0\r\n\r\n"),
        ("client list id x", "-ERR Invalid client ID\r\n"),
        ("client list foo", "-ERR syntax error\r\n"),
        ("client pause x", "-ERR timeout is not an integer or out of range\r\n"),
        ("client pause -1", "-ERR timeout is negative\r\n"),
        ("client pause 1 foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n"),
        (
            "client pause 10 write x",
            "-ERR unknown subcommand or wrong number of arguments for 'pause'. Try CLIENT HELP.\r\n"
        ),
        ("client pause 0 write", "+OK\r\n"),
        ("client unpause", "+OK\r\n"),
        ("client unblock 999999", ":0\r\n"),
        ("client unblock x", "-ERR value is not an integer or out of range\r\n"),
        ("client unblock 999 foo", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n"),
        (
            "client unblock 1 error x",
            "-ERR unknown subcommand or wrong number of arguments for 'unblock'. Try CLIENT HELP.\r\n"
        ),
        ("client no-evict foo", "-ERR syntax error\r\n"),
        ("client no-evict on", "+OK\r\n"),
        ("client no-evict off", "+OK\r\n"),
        ("client reply foo", "-ERR syntax error\r\n"),
        ("client reply on", "+OK\r\n"),
        ("client reply skip", ""),
        ("ping", ""),
        ("ping", "+PONG\r\n"),
        ("client reply off", ""),
        ("ping", ""),
        ("client reply on", "+OK\r\n"),
    ]
    static let config: [(command: String, reply: String)] = [
        ("config", "-ERR wrong number of arguments for 'config' command\r\n"),
        ("config get", "-ERR wrong number of arguments for 'config|get' command\r\n"),
        ("config get nosuch", "*0\r\n"),
        ("config get proto-max-bulk-len", "*2\r\n$18\r\nproto-max-bulk-len\r\n$9\r\n536870912\r\n"),
        ("config get slowlog-[mn]*", "*2\r\n$15\r\nslowlog-max-len\r\n$3\r\n128\r\n"),
        ("config get maxclients maxclients", "*2\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n"),
        ("config set", "-ERR wrong number of arguments for 'config|set' command\r\n"),
        ("config set foo bar", "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'\r\n"),
        ("config set Foo bar", "-ERR Unknown option or number of arguments for CONFIG SET - 'Foo'\r\n"),
        (
            "config set cluster-enabled yes",
            "-ERR CONFIG SET failed (possibly related to argument 'cluster-enabled') - can't set immutabl"
                + "e config\r\n"
        ),
        (
            "config set maxclients x",
            "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be pa"
                + "rsed into an integer\r\n"
        ),
        (
            "config set maxclients 0",
            "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be betwee"
                + "n 1 and 4294967295 inclusive\r\n"
        ),
        (
            "config set maxclients 99999999999",
            "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be betwee"
                + "n 1 and 4294967295 inclusive\r\n"
        ),
        (
            "config set maxclients 100 maxclients 200",
            "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - duplicate parameter\r\n"
        ),
        (
            "config set slowlog-max-len -5",
            "-ERR CONFIG SET failed (possibly related to argument 'slowlog-max-len') - argument must be b"
                + "etween 0 and 9223372036854775807 inclusive\r\n"
        ),
        (
            "config set slowlog-max-len \"\"",
            "-ERR CONFIG SET failed (possibly related to argument 'slowlog-max-len') - argument couldn't "
                + "be parsed into an integer\r\n"
        ),
        (
            "config set slowlog-log-slower-than -7",
            "-ERR CONFIG SET failed (possibly related to argument 'slowlog-log-slower-than') - argument m"
                + "ust be between -1 and 9223372036854775807 inclusive\r\n"
        ),
        (
            "config set slowlog-log-slower-than abc",
            "-ERR CONFIG SET failed (possibly related to argument 'slowlog-log-slower-than') - argument c"
                + "ouldn't be parsed into an integer\r\n"
        ),
        ("config set maxmemory", "-ERR wrong number of arguments for 'config|set' command\r\n"),
        ("config set maxclients 100 foo", "-ERR syntax error\r\n"),
        ("config set SLOWLOG-MAX-LEN 77 slowlog-log-slower-than 5", "+OK\r\n"),
        ("config get slowlog-max-len", "*2\r\n$15\r\nslowlog-max-len\r\n$2\r\n77\r\n"),
        ("config get slowlog-log-slower-than", "*2\r\n$23\r\nslowlog-log-slower-than\r\n$1\r\n5\r\n"),
        ("config rewrite", "-ERR The server is running without a config file\r\n"),
        ("config resetstat", "+OK\r\n"),
        ("config resetstat x", "-ERR wrong number of arguments for 'config|resetstat' command\r\n"),
        ("config foo", "-ERR unknown subcommand 'foo'. Try CONFIG HELP.\r\n"),
    ]
    static let slowlog: [(command: String, reply: String)] = [
        ("slowlog", "-ERR wrong number of arguments for 'slowlog' command\r\n"),
        ("slowlog get x", "-ERR count should be greater than or equal to -1\r\n"),
        ("slowlog get -2", "-ERR count should be greater than or equal to -1\r\n"),
        ("slowlog get 1 2", "-ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.\r\n"),
        ("slowlog foo", "-ERR unknown subcommand 'foo'. Try SLOWLOG HELP.\r\n"),
        ("slowlog reset", "+OK\r\n"),
        ("slowlog get", "*0\r\n"),
        ("slowlog len", ":0\r\n"),
        (
            "slowlog help",
            "*12\r\n+SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"
                + "+GET [<count>]\r\n+    Return top <count> entries from the slowlog (default: 10, -1 mean all"
                + ").\r\n+    Entries are made of:\r\n+    id, timestamp, time in microseconds, arguments array"
                + ", client IP and port,\r\n+    client name\r\n+LEN\r\n+    Return the length of the slowlog.\r"
                + "\n+RESET\r\n+    Reset the slowlog.\r\n+HELP\r\n+    Prints this help.\r\n"
        ),
    ]
    static let command: [(command: String, reply: String)] = [
        ("command foo", "-ERR unknown subcommand 'foo'. Try COMMAND HELP.\r\n"),
        ("command count x", "-ERR wrong number of arguments for 'command|count' command\r\n"),
        ("command info nosuch", "*1\r\n$-1\r\n"),
        (
            "command info client|id",
            "*1\r\n*10\r\n$9\r\nclient|id\r\n:2\r\n*3\r\n+noscript\r\n+loading\r\n+stale\r\n"
                + ":0\r\n:0\r\n:0\r\n*2\r\n+@slow\r\n+@connection\r\n*0\r\n*0\r\n*0\r\n"
        ),
        (
            "command info client|list",
            "*1\r\n*10\r\n$11\r\nclient|list\r\n:-2\r\n*4\r\n+admin\r\n+noscript\r\n"
                + "+loading\r\n+stale\r\n:0\r\n:0\r\n:0\r\n*4\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n"
                + "+@connection\r\n*1\r\n$23\r\nnondeterministic_output\r\n*0\r\n*0\r\n"
        ),
        (
            "command info client|kill",
            "*1\r\n*10\r\n$11\r\nclient|kill\r\n:-3\r\n*4\r\n+admin\r\n+noscript\r\n"
                + "+loading\r\n+stale\r\n:0\r\n:0\r\n:0\r\n*4\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n"
                + "+@connection\r\n*0\r\n*0\r\n*0\r\n"
        ),
        (
            "command info select",
            "*1\r\n*10\r\n$6\r\nselect\r\n:2\r\n*3\r\n+loading\r\n+stale\r\n+fast\r\n"
                + ":0\r\n:0\r\n:0\r\n*2\r\n+@fast\r\n+@connection\r\n*0\r\n*0\r\n*0\r\n"
        ),
        (
            "command info wait",
            "*1\r\n*10\r\n$4\r\nwait\r\n:3\r\n*1\r\n+noscript\r\n:0\r\n:0\r\n:0\r\n*2\r\n"
                + "+@slow\r\n+@connection\r\n*2\r\n$25\r\nrequest_policy:all_shards\r\n$23\r\n"
                + "response_policy:agg_min\r\n*0\r\n*0\r\n"
        ),
        (
            "command info time",
            "*1\r\n*10\r\n$4\r\ntime\r\n:1\r\n*3\r\n+loading\r\n+stale\r\n+fast\r\n:0\r\n"
                + ":0\r\n:0\r\n*1\r\n+@fast\r\n*1\r\n$23\r\nnondeterministic_output\r\n*0\r\n"
                + "*0\r\n"
        ),
        (
            "command info info",
            "*1\r\n*10\r\n$4\r\ninfo\r\n:-1\r\n*2\r\n+loading\r\n+stale\r\n:0\r\n:0\r\n"
                + ":0\r\n*2\r\n+@slow\r\n+@dangerous\r\n*3\r\n$23\r\nnondeterministic_output\r\n"
                + "$25\r\nrequest_policy:all_shards\r\n$23\r\nresponse_policy:special\r\n*0\r\n"
                + "*0\r\n"
        ),
        (
            "command info config|set",
            "*1\r\n*10\r\n$10\r\nconfig|set\r\n:-4\r\n*4\r\n+admin\r\n+noscript\r\n+loading\r\n"
                + "+stale\r\n:0\r\n:0\r\n:0\r\n*3\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n*2\r\n"
                + "$24\r\nrequest_policy:all_nodes\r\n$29\r\nresponse_policy:all_succeeded\r\n"
                + "*0\r\n*0\r\n"
        ),
        (
            "command info command|docs",
            "*1\r\n*10\r\n$12\r\ncommand|docs\r\n:-2\r\n*2\r\n+loading\r\n+stale\r\n"
                + ":0\r\n:0\r\n:0\r\n*2\r\n+@slow\r\n+@connection\r\n*1\r\n$29\r\nnondeterministic_output_order"
                + "\r\n*0\r\n*0\r\n"
        ),
        (
            "command info cluster|slots",
            "*1\r\n*10\r\n$13\r\ncluster|slots\r\n:2\r\n*1\r\n+stale\r\n:0\r\n:0\r\n"
                + ":0\r\n*1\r\n+@slow\r\n*1\r\n$23\r\nnondeterministic_output\r\n*0\r\n*0\r\n"
        ),
        (
            "command info slowlog|len",
            "*1\r\n*10\r\n$11\r\nslowlog|len\r\n:2\r\n*3\r\n+admin\r\n+loading\r\n+stale\r\n"
                + ":0\r\n:0\r\n:0\r\n*3\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n*3\r\n$24\r\n"
                + "request_policy:all_nodes\r\n$23\r\nresponse_policy:agg_sum\r\n$23\r\nnondeterministic_output"
                + "\r\n*0\r\n*0\r\n"
        ),
        (
            "command info object|encoding",
            "*1\r\n*10\r\n$15\r\nobject|encoding\r\n:3\r\n*1\r\n+readonly\r\n:2\r\n:2\r\n"
                + ":1\r\n*3\r\n+@keyspace\r\n+@read\r\n+@slow\r\n*1\r\n$23\r\nnondeterministic_output\r\n"
                + "*1\r\n*6\r\n$5\r\nflags\r\n*1\r\n+RO\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\n"
                + "type\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:2\r\n$9\r\nfind_keys\r\n"
                + "*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n"
                + ":0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n"
        ),
        (
            "command info memory|usage",
            "*1\r\n*10\r\n$12\r\nmemory|usage\r\n:-3\r\n*1\r\n+readonly\r\n:2\r\n:2\r\n"
                + ":1\r\n*2\r\n+@read\r\n+@slow\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*1\r\n"
                + "+RO\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\n"
                + "spec\r\n*2\r\n$5\r\nindex\r\n:2\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n"
                + "$5\r\nrange\r\n$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n"
                + ":1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n"
        ),
        ("command docs nosuch", "*0\r\n"),
        (
            "command docs client|id",
            "*2\r\n$9\r\nclient|id\r\n*8\r\n$7\r\nsummary\r\n$48\r\nReturns the client ID for the current"
                + " connection\r\n$5\r\nsince\r\n$5\r\n5.0.0\r\n$5\r\ngroup\r\n$10\r\nconnection\r\n"
                + "$10\r\ncomplexity\r\n$4\r\nO(1)\r\n"
        ),
        (
            "command docs time",
            "*2\r\n$4\r\ntime\r\n*8\r\n$7\r\nsummary\r\n$30\r\nReturn the current server time\r\n"
                + "$5\r\nsince\r\n$5\r\n2.6.0\r\n$5\r\ngroup\r\n$6\r\nserver\r\n$10\r\ncomplexity\r\n"
                + "$4\r\nO(1)\r\n"
        ),
        ("command getkeys", "-ERR wrong number of arguments for 'command|getkeys' command\r\n"),
        ("command getkeys foo bar", "-ERR Invalid command specified\r\n"),
        ("command getkeys ping x", "-ERR The command has no key arguments\r\n"),
        ("command getkeys object encoding x", "*1\r\n$1\r\nx\r\n"),
        ("command getkeys memory usage x", "*1\r\n$1\r\nx\r\n"),
        ("command getkeys object x y", "-ERR Invalid command specified\r\n"),
        ("command list filterby module foo", "*0\r\n"),
        ("command list filterby aclcat nosuch", "*0\r\n"),
        ("command list filterby foo bar", "-ERR syntax error\r\n"),
        ("command list foo", "-ERR syntax error\r\n"),
        ("command list filterby pattern", "-ERR syntax error\r\n"),
        ("command list filterby pattern tim*", "*1\r\n$4\r\ntime\r\n"),
    ]
    static let inspection: [(command: String, reply: String)] = [
        ("object", "-ERR wrong number of arguments for 'object' command\r\n"),
        ("object foo", "-ERR unknown subcommand 'foo'. Try OBJECT HELP.\r\n"),
        ("object encoding", "-ERR wrong number of arguments for 'object|encoding' command\r\n"),
        ("memory", "-ERR wrong number of arguments for 'memory' command\r\n"),
        ("memory foo", "-ERR unknown subcommand 'foo'. Try MEMORY HELP.\r\n"),
        ("memory usage", "-ERR wrong number of arguments for 'memory|usage' command\r\n"),
        ("object encoding c", "$-1\r\n"),
        ("object refcount c", "$-1\r\n"),
        ("object idletime c", "$-1\r\n"),
        ("object freq c", "$-1\r\n"),
        ("memory usage c", "$-1\r\n"),
        ("set k 5", "+OK\r\n"),
        ("object encoding k", "$3\r\nint\r\n"),
        ("object refcount k", ":2147483647\r\n"),
        (
            "object freq k",
            "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that"
                + " when switching between policies at runtime LRU and LFU data will take some time to adjust.\r"
                + "\n"
        ),
        ("set k 10000", "+OK\r\n"),
        ("object refcount k", ":1\r\n"),
        ("set k 9223372036854775807", "+OK\r\n"),
        ("object encoding k", "$3\r\nint\r\n"),
        ("set k 9223372036854775808", "+OK\r\n"),
        ("object encoding k", "$6\r\nembstr\r\n"),
        ("set k -1", "+OK\r\n"),
        ("object encoding k", "$3\r\nint\r\n"),
        ("object refcount k", ":1\r\n"),
        ("set k 01", "+OK\r\n"),
        ("object encoding k", "$6\r\nembstr\r\n"),
        ("set k +1", "+OK\r\n"),
        ("object encoding k", "$6\r\nembstr\r\n"),
        ("set k \"\"", "+OK\r\n"),
        ("object encoding k", "$6\r\nembstr\r\n"),
        ("set k xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "+OK\r\n"),
        ("object encoding k", "$6\r\nembstr\r\n"),
        ("set k xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "+OK\r\n"),
        ("object encoding k", "$3\r\nraw\r\n"),
        ("memory usage k samples", "-ERR syntax error\r\n"),
        ("memory usage k samples x", "-ERR value is not an integer or out of range\r\n"),
        ("memory usage k samples -1", "-ERR syntax error\r\n"),
        ("memory usage k foo", "-ERR syntax error\r\n"),
    ]
}
