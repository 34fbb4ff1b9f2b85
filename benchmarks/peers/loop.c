/* The floor: accepts, answers any GET with an event stream, and writes each event to each client with one send().
 *
 * cc -O2 -o loop loop.c && ./loop PORT
 * POST /burst?events=N&gap=SECONDS publishes. A client whose socket takes no more is cut: there is no queue here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int poller, clients[65536], count;
static long seq;
static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n";

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void publish(void) {
    char event[1024], chunk[1200];
    seq++;
    int size = snprintf(event, sizeof event,
        "event: new_trades\nid: %ld\ndata: {\"trades\":[{\"seq\":%ld,\"timestamp\":%.6f,\"ticker\":\"PRES24-GOP\",\"side\":\"BUY\","
        "\"quantity\":50,\"price\":0.65,\"trade_id\":\"t%ld\",\"outcome\":\"yes\",\"fee\":0.0175,\"order_id\":null,"
        "\"origin\":\"bot\",\"mode\":\"live\",\"source\":\"bot_live\"}],\"count\":1,\"source\":\"bot_live\"}\n\n", seq, seq, now(), seq);
    size = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n", size, event);
    for (int i = 0; i < count;) {
        if (send(clients[i], chunk, size, MSG_NOSIGNAL | MSG_DONTWAIT) == size) { i++; continue; }
        close(clients[i]);
        clients[i] = clients[--count];
    }
}

/* Sleeping between events would leave new connections waiting, but nobody connects during a burst. */
static void burst(const char *text) {
    char *gap = strstr(text, "gap="), *events = strstr(text, "events=");
    double pause = gap ? atof(gap + 4) : 0, due = now();
    for (long left = events ? atol(events + 7) : 0; left > 0; left--) {
        publish();
        due += pause;
        double rest = due - now();
        if (pause && rest > 0) nanosleep(&(struct timespec){(time_t)rest, (long)((rest - (time_t)rest) * 1e9)}, NULL);
    }
}

static void serve(int fd) {
    char text[4096];
    int size = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        for (int i = 0; i < count; i++) if (clients[i] == fd) { clients[i] = clients[--count]; break; }
        close(fd);
        return;
    }
    text[size] = 0;
    if (strncmp(text, "POST", 4) == 0) {
        burst(text);
        send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 40, MSG_NOSIGNAL);
    } else {
        send(fd, HEAD, sizeof HEAD - 1, MSG_NOSIGNAL);
        clients[count++] = fd;
    }
}

int main(int argc, char **argv) {
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){65536, 65536});
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) { perror("listen"); return 1; }
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd != listener) { serve(events[i].data.fd); continue; }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fd >= 0) epoll_ctl(poller, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
        }
    }
}
