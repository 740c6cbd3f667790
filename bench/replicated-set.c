/* Closed-loop SETs, for bench/replicated.sh and bench/etcd.sh.
 *
 *   replicated-set redis|cluster PORT[,PORT...] CONNECTIONS PIPELINE SECONDS KEYS [VALUE-BYTES [KEY-BYTES]]
 *
 * Values have 100 bytes, keys 16, if nothing else is said (KEY-BYTES: 16 to 1024).
 * redis: one server; each pipeline of SETs is followed by WAIT 2 0, and counts when that is answered by 2 or more.
 * cluster: the cluster ports of a Redis Cluster or of Ostraka; a connection sets keys whose slots its node owns
 * (CLUSTER NODES). Prints SETs a second. A reply that is an error, or a WAIT below 2, ends it with exit code 1. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PORTS = 16, MAX_PIPELINE = 64, MAX_VALUE = 65536, MIN_KEY = 16, MAX_KEY = 1024 };
static unsigned char owned[MAX_PORTS][16384];
static unsigned long long state = 88172645463325252ULL;

static unsigned long long next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *why) {
    fprintf(stderr, "replicated-set: %s\n", why);
    exit(1);
}

static int dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die(strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static unsigned short crc_table[256];

static void make_crc_table(void) {
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc_table[byte] = crc;
    }
}

static unsigned slot_of(const char *key, int length) {
    unsigned crc = 0;
    for (int i = 0; i < length; i++) crc = ((crc << 8) ^ crc_table[((crc >> 8) ^ (unsigned char)key[i]) & 0xFF]) & 0xFFFF;
    return crc % 16384;
}

/* Which slots the node at a cluster port owns: the line of CLUSTER NODES that says "myself". */
static void ask_slots(int port, unsigned char *slots) {
    static char text[1 << 20];
    int fd = dial(port), size = 0;
    const char *ask = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nNODES\r\n";
    if (write(fd, ask, strlen(ask)) < 0) die(strerror(errno));
    for (;;) {
        int got = read(fd, text + size, sizeof text - 1 - size);
        if (got <= 0) die("CLUSTER NODES got no answer");
        size += got;
        text[size] = 0;
        char *body = strstr(text, "\r\n");
        if (text[0] == '-') die(text);
        if (body && size >= body - text + 4 + atoi(text + 1)) break;
    }
    close(fd);
    char *line = strstr(text, "myself");
    if (!line) die("CLUSTER NODES names no node itself");
    char *end = strchr(line, '\n');
    if (end) *end = 0;
    int word = 0, any = 0;
    for (char *part = strtok(line, " "); part; part = strtok(NULL, " ")) {
        int from, to;
        if (word++ < 6) continue;
        int found = sscanf(part, "%d-%d", &from, &to);
        if (found == 1) to = from;
        if (found >= 1) for (int slot = from; slot <= to && slot < 16384; slot++) slots[slot] = any = 1;
    }
    if (!any) die("a node owns no slot");
}

struct connection {
    int fd, node, awaited;
    char left[64];
    int left_size;
};

static int is_redis, pipeline, keys, value_bytes = 100, key_bytes = MIN_KEY;

static void send_batch(struct connection *c) {
    static char buffer[MAX_PIPELINE * (MAX_VALUE + MAX_KEY + 64) + 64];
    static char value[MAX_VALUE + 1], key[MAX_KEY + 1];
    if (!value[0]) memset(value, 'x', value_bytes), memset(key, 'k', key_bytes);
    int size = 0;
    for (int i = 0; i < pipeline; i++) {
        do {
            char name[32];
            snprintf(name, sizeof name, "key:%012llu", next_random() % keys);
            memcpy(key, name, MIN_KEY);
        } while (!is_redis && !owned[c->node][slot_of(key, key_bytes)]);
        size += sprintf(buffer + size, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", key_bytes, key, value_bytes, value);
    }
    if (is_redis) size += sprintf(buffer + size, "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$1\r\n0\r\n");
    if (write(c->fd, buffer, size) != size) die("a short write");
    c->awaited = pipeline + is_redis;
}

/* Counts whole reply lines. */
static void take(struct connection *c, const char *bytes, int size) {
    for (int i = 0; i < size; i++) {
        if (c->left_size < (int)sizeof c->left - 1) c->left[c->left_size++] = bytes[i];
        if (bytes[i] != '\n') continue;
        c->left[c->left_size] = 0;
        if (c->left[0] == '-') die(c->left);
        if (c->left[0] == ':' && atoi(c->left + 1) < 2) die("WAIT was answered by less than 2");
        c->left_size = 0;
        c->awaited--;
    }
}

int main(int count, char **arguments) {
    if (count < 7 || count > 9)
        die("usage: replicated-set redis|cluster PORT[,PORT...] CONNECTIONS PIPELINE SECONDS KEYS [VALUE-BYTES [KEY-BYTES]]");
    is_redis = !strcmp(arguments[1], "redis");
    int ports[MAX_PORTS], nodes = 0, connections = atoi(arguments[3]);
    for (char *part = strtok(arguments[2], ","); part && nodes < MAX_PORTS; part = strtok(NULL, ",")) ports[nodes++] = atoi(part);
    pipeline = atoi(arguments[4]);
    keys = atoi(arguments[6]);
    if (count > 7) value_bytes = atoi(arguments[7]);
    if (count > 8) key_bytes = atoi(arguments[8]);
    if (pipeline < 1 || pipeline > MAX_PIPELINE || connections < 1 || keys < 1) die("a number is out of its range");
    if (value_bytes < 1 || value_bytes > MAX_VALUE || key_bytes < MIN_KEY || key_bytes > MAX_KEY) die("a size is out of its range");
    make_crc_table();
    if (!is_redis) for (int node = 0; node < nodes; node++) ask_slots(ports[node], owned[node]);
    struct connection *all = calloc(connections, sizeof *all);
    int poller = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        all[i].node = i % nodes;
        all[i].fd = dial(ports[i % nodes]);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &event);
        send_batch(&all[i]);
    }
    double limit = atof(arguments[5]), began = seconds(), warm = began + limit / 5;
    long long done = 0;
    double from = 0;
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 10000);
        if (ready <= 0) die("no reply within 10 s");
        double now = seconds();
        if (!from && now >= warm) from = now, done = 0;
        if (from && now - from >= limit) break;
        for (int i = 0; i < ready; i++) {
            static char bytes[65536];
            struct connection *c = events[i].data.ptr;
            int got = read(c->fd, bytes, sizeof bytes);
            if (got <= 0) die("a connection was closed");
            take(c, bytes, got);
            if (c->awaited == 0) {
                done += pipeline;
                send_batch(c);
            }
        }
    }
    printf("%.0f\n", done / (seconds() - from));
    return 0;
}
