"""The arrows of the design: who may include what. check_structure.py applies them."""

# A unit is a folder that one CMake target stands for, or a module's public headers. A unit may include itself,
# what it names here and what those may include.
ARROWS = {
    "dtls/include": [],
    "dtls/src/wire": ["dtls/include"],
    "dtls/src/crypto": ["dtls/include"],
    "dtls/src/table": ["dtls/src/crypto", "dtls/src/wire"],
    "dtls/src/schedule": ["dtls/src/crypto"],
    "dtls/src/message": ["dtls/src/wire"],
    "dtls/src/capture": ["dtls/src/wire"],
    "dtls/src/record": ["dtls/src/crypto", "dtls/src/wire"],
    "dtls/src/flight": ["dtls/src/message", "dtls/src/record"],
    "dtls/src/negotiation": ["dtls/src/flight", "dtls/src/schedule"],
    "dtls/src/handshake12": ["dtls/src/negotiation"],
    "dtls/src/handshake13": ["dtls/src/negotiation"],
    "dtls/src/handshake": ["dtls/src/handshake12", "dtls/src/handshake13"],
    "dtls/src/listener": ["dtls/src/handshake"],
    "dtls/src/connection": ["dtls/src/handshake", "dtls/src/listener"],
    "dtls/src/endpoint": ["dtls/src/connection", "dtls/src/table"],
    "srtp_bridge/include": ["dtls/include"],
    # How a state is read.
    "srtp_bridge/src": ["srtp_bridge/include", "dtls/src/wire"],
    "ice_glue/stun/include": ["dtls/include"],
    # HMAC-SHA1 comes from the only place for libcrypto.
    "ice_glue/stun/src": ["ice_glue/stun/include", "dtls/src/crypto"],
    "ice_glue/transport/include": ["srtp_bridge/include"],
    "ice_glue/transport/src": ["ice_glue/transport/include", "dtls/src/wire"],
    "ice_glue/lite/include": ["ice_glue/transport/include", "ice_glue/stun/include", "rtp/include"],
    # The tables and the keyed hash of an Endpoint.
    "ice_glue/lite/src": ["ice_glue/lite/include", "dtls/src/table"],
    "ice_glue/nice/include": ["ice_glue/transport/include"],
    # The random numbers of an Environment.
    "ice_glue/nice/src": ["ice_glue/nice/include", "dtls/src/crypto"],
    "ice_glue/udp/include": ["dtls/include"],
    "ice_glue/udp/src": ["ice_glue/udp/include"],
    "ice_glue/tcp/include": ["ice_glue/udp/include"],
    # The counts of hosts of an Endpoint; the errors and addresses of sockets as in udp.
    "ice_glue/tcp/src": ["ice_glue/tcp/include", "ice_glue/udp/src", "dtls/src/table"],
    "session_stores/include": ["dtls/include"],
    "session_stores/src": ["session_stores/include"],
    "data_channel/include": ["dtls/include"],
    "data_channel/src": ["data_channel/include"],
    "rtp/include": [],
    "rtp/src": ["rtp/include"],
    "interop/common": ["ice_glue/udp/include", "rtp/include"],
    "interop/tools": ["interop/common", "session_stores/include"],
    "interop/common/sdp": ["interop/common", "ice_glue/lite/include", "data_channel/include", "rtp/include"],
    "interop/common/http": ["interop/common"],
    "interop/common/lite": ["interop/common", "ice_glue/lite/include", "ice_glue/tcp/include"],
    "interop/common/client": ["interop/common/sdp", "interop/common/lite", "ice_glue/lite/include"],
    "interop/common/redis": ["interop/common"],
    "interop/common/state": ["interop/common", "data_channel/include", "rtp/include"],
    "interop/demo": ["interop/common/sdp", "interop/common/http", "interop/common/lite", "interop/common/state",
                     "ice_glue/nice/include"],
    "interop/sfu": ["interop/common/client", "interop/common/redis", "interop/common/sdp", "interop/common/http",
                    "interop/common/lite", "interop/common/state"],
    "interop/load": ["interop/common/client", "interop/common/sdp", "interop/common/http", "interop/common/lite"],
    "interop/peers": [],
    "docs/examples": ["ice_glue/nice/include", "ice_glue/lite/include", "ice_glue/tcp/include", "data_channel/include",
                      "rtp/include", "session_stores/include"],
    # What checks the code sees all of it.
    "tests": ["dtls/src/endpoint", "srtp_bridge/src", "ice_glue/stun/src", "ice_glue/transport/src",
              "ice_glue/lite/src", "ice_glue/nice/src", "ice_glue/tcp/src", "data_channel/src", "rtp/src",
              "session_stores/src", "interop/tools", "interop/demo", "interop/sfu", "interop/load", "docs/examples"],
    "bench": ["tests"],
}

POSIX = ["sys/", "netinet/", "arpa/", "net/", "netdb.h", "unistd.h", "poll.h", "fcntl.h", "ifaddrs.h", "errno.h"]

# Headers from outside, by prefix, beside the standard library's. A unit that isn't named includes none.
# In dtls/src it is <sluice/dtls/error.h> alone that knows where Result comes from.
EXPECTED = ["tl/expected.hpp"]
OUTSIDE = {
    "dtls/include": EXPECTED,
    "dtls/src/crypto": ["openssl/"],
    "srtp_bridge/include": EXPECTED,
    "srtp_bridge/src": ["srtp2/", "dlfcn.h"] + EXPECTED,
    "ice_glue/stun/include": EXPECTED,
    "ice_glue/stun/src": EXPECTED,
    "ice_glue/transport/include": EXPECTED,
    "ice_glue/transport/src": EXPECTED,
    "ice_glue/lite/include": EXPECTED,
    "ice_glue/lite/src": EXPECTED,
    "ice_glue/nice/include": EXPECTED,
    "ice_glue/nice/src": ["nice/", "glib", "gio/", "gobject/"] + POSIX + EXPECTED,
    "ice_glue/udp/include": EXPECTED,
    "ice_glue/udp/src": ["linux/filter.h", "linux/sock_diag.h"] + POSIX + EXPECTED,
    "ice_glue/tcp/include": EXPECTED,
    "ice_glue/tcp/src": POSIX + EXPECTED,
    "data_channel/include": EXPECTED,
    "data_channel/src": ["usrsctp.h", "arpa/inet.h"] + EXPECTED,
    "rtp/include": EXPECTED,
    "rtp/src": EXPECTED,
    "session_stores/include": EXPECTED,
    "session_stores/src": ["lmdb.h", "hiredis/", "fcntl.h", "sys/eventfd.h", "sys/file.h", "unistd.h"] + EXPECTED,
    "interop/common": ["spawn.h"] + POSIX + EXPECTED,
    "interop/common/sdp": ["gst/sdp/"] + EXPECTED,
    "interop/common/client": ["httplib.h"] + EXPECTED,
    "interop/common/redis": ["hiredis/", "sys/time.h"] + EXPECTED,
    "interop/common/http": ["httplib.h"] + POSIX + EXPECTED,
    "interop/common/lite": ["CLI/"] + POSIX + EXPECTED,
    "interop/common/state": ["nlohmann/", "poll.h", "sys/random.h", "unistd.h"] + EXPECTED,
    "interop/tools": ["CLI/"] + POSIX + EXPECTED,
    "interop/demo": ["CLI/", "glib", "httplib.h", "nlohmann/"] + POSIX + EXPECTED,
    "interop/sfu": ["CLI/", "fcntl.h", "httplib.h", "nlohmann/", "poll.h", "sys/epoll.h", "sys/eventfd.h", "unistd.h"]
    + EXPECTED,
    "interop/load": ["CLI/", "httplib.h", "nlohmann/", "ogg/ogg.h", "poll.h", "sys/epoll.h", "sys/resource.h"] + EXPECTED,
    "interop/peers": ["mbedtls/"] + POSIX,
    "docs/examples": ["asio/", "asio.hpp", "openssl/evp.h", "uv.h"] + POSIX,
    "tests": ["*"],
    "bench": ["*"],
}

# Files of a unit that may include more: the engine has no sockets, and one optional header converts their addresses.
# Memory that a child process does not inherit has no other interface.
OUTSIDE_OF_FILE = {
    "dtls/src/crypto/random_reserve.cc": ["sys/mman.h"],
    "dtls/include/sluice/dtls/socket_address.h": ["arpa/inet.h", "netinet/in.h", "sys/socket.h"],
    "ice_glue/lite/src/description.cc": ["arpa/inet.h"],  # inet_ntop()
    "interop/common/client/received_bytes.cc": ["fcntl.h", "linux/tcp.h", "netinet/in.h", "sys/socket.h"],  # TCP_INFO
    "interop/common/http/tls.cc": ["openssl/err.h", "openssl/ssl.h"],  # HTTPS
}

# libssl is no part of Sluice: it is a peer to compare with, and the TLS of an HTTP server of ours. The other four have one home each, and interop/ uses what a
# user of Sluice has: the public headers.
LIBSSL = ["openssl/ssl", "openssl/tls1.h", "openssl/dtls1.h", "openssl/srtp.h"]
PRIVATE = ["openssl/", "srtp2/", "nice/", "stun/", "lmdb.h", "hiredis/", "usrsctp.h"]
FORBIDDEN = {
    "dtls/src/crypto": LIBSSL,
    "interop/common": PRIVATE,
    "interop/tools": PRIVATE,
    "interop/demo": PRIVATE,
    "interop/sfu": PRIVATE,
    "interop/load": PRIVATE,
}

# The longest file that needs no excuse, and the excuse, which stands in the file's first lines.
MAX_LINES = 500
EXCUSE = "longer than 500 lines because"
EXCUSE_WITHIN = 15

# Of all files of a folder, without comments and blank lines: what docs/sfu.md promises.
MAX_CODE_LINES = {"interop/sfu/forwarding": 1499}

MAX_FUNCTION_LINES = 60

# Types of the engine, without those of its public headers.
LIMITED_TYPES = "dtls/src"
MAX_PUBLIC_DATA = 12
MAX_PRIVATE_FUNCTIONS = {"Connection::Impl": 25}

# Folders whose files are targets of their own: names in their anonymous namespaces never meet.
ONE_TARGET_PER_FILE = ["tests/fuzz", "tests/sim", "tests/scenario/hostile", "docs/examples"]
