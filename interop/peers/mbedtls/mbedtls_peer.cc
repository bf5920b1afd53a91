// mbedtls-peer: an echo server and a line client on Mbed TLS 3, for the interoperability matrix.
// DTLS 1.2.
//
// The options and the output are those of pion-peer, with two dashes (../pion/main.go).

#include <arpa/inet.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/timing.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#ifndef MBEDTLS_SSL_DTLS_CONNECTION_ID
#error "this Mbed TLS is configured without connection IDs"
#endif

namespace {

using Options = std::map<std::string, std::string>;
using Bytes = std::vector<unsigned char>;
using Clock = std::chrono::steady_clock;

// How long poll() waits while a handshake runs: the timers of Mbed TLS are asked this often.
constexpr int kTick = 20;

int check(int result, const char* what) {
  if (result >= 0) return result;
  std::array<char, 200> text{};
  mbedtls_strerror(result, text.data(), text.size());
  throw std::runtime_error(std::string(what) + ": " + text.data());
}

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// An unconnected UDP socket. A server answers to where the newest datagram came from.
class Socket {
 public:
  explicit Socket(const std::string& address, bool is_server)
      : descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)), is_server_(is_server) {
    sockaddr_in named{};
    named.sin_family = AF_INET;
    named.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    named.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    if (!is_server) {
      peer_ = named;
    } else if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&named), sizeof named) != 0) {
      throw std::runtime_error("bind: " + address);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(descriptor_); }

  int descriptor() const { return descriptor_; }

  // Cookies are bound to the address, which Mbed TLS must know before it reads a ClientHello.
  sockaddr_in next_sender() const {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    std::array<unsigned char, 1> first{};
    while (::recvfrom(descriptor_, first.data(), first.size(), MSG_PEEK,
                      reinterpret_cast<sockaddr*>(&from), &size) < 0) {
      pollfd watched{descriptor_, POLLIN, 0};
      ::poll(&watched, 1, -1);
    }
    return from;
  }

  std::uint16_t port() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&own), &size);
    return ntohs(own.sin_port);
  }

  static int send(void* self, const unsigned char* data, std::size_t size) {
    const auto& socket = *static_cast<Socket*>(self);
    ::sendto(socket.descriptor_, data, size, 0, reinterpret_cast<const sockaddr*>(&socket.peer_),
             sizeof socket.peer_);
    return static_cast<int>(size);  // what can't be sent is lost
  }

  static int receive(void* self, unsigned char* data, std::size_t size) {
    auto& socket = *static_cast<Socket*>(self);
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const auto received =
        ::recvfrom(socket.descriptor_, data, size, 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (received < 0) return MBEDTLS_ERR_SSL_WANT_READ;
    if (socket.is_server_) socket.peer_ = from;
    return static_cast<int>(received);
  }

 private:
  int descriptor_ = -1;
  bool is_server_ = false;
  sockaddr_in peer_{};
};

class Peer {
 public:
  Peer(Options options, bool is_server)
      : options_(std::move(options)),
        is_server_(is_server),
        socket_(options_.at(is_server ? "accept" : "connect"), is_server) {
    mbedtls_entropy_init(&entropy_);
    mbedtls_ctr_drbg_init(&random_);
    mbedtls_ssl_init(&ssl_);
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_cookie_init(&cookies_);
    mbedtls_x509_crt_init(&certificate_);
    mbedtls_pk_init(&key_);
    check(mbedtls_ctr_drbg_seed(&random_, mbedtls_entropy_func, &entropy_, nullptr, 0), "seed");
    configure();
    check(mbedtls_ssl_setup(&ssl_, &config_), "setup");
    mbedtls_ssl_set_bio(&ssl_, &socket_, Socket::send, Socket::receive, nullptr);
    mbedtls_ssl_set_timer_cb(&ssl_, &timer_, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
    mbedtls_ssl_set_mtu(&ssl_, 1200);
    if (const auto name = options_.find("servername"); name != options_.end()) {
      check(mbedtls_ssl_set_hostname(&ssl_, name->second.c_str()), "server name");
    }
    set_connection_id();
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    mbedtls_ssl_free(&ssl_);
    mbedtls_ssl_config_free(&config_);
    mbedtls_ssl_cookie_free(&cookies_);
    mbedtls_x509_crt_free(&certificate_);
    mbedtls_pk_free(&key_);
    mbedtls_ctr_drbg_free(&random_);
    mbedtls_entropy_free(&entropy_);
  }

  void run() {
    if (is_server_) std::printf("ACCEPT 127.0.0.1:%u\n", unsigned{socket_.port()});
    handshake();
    tell();
    is_server_ ? echo() : talk();
    mbedtls_ssl_close_notify(&ssl_);
  }

 private:
  void configure() {
    check(mbedtls_ssl_config_defaults(&config_,
                                      is_server_ ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                      MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT),
          "defaults");
    mbedtls_ssl_conf_rng(&config_, mbedtls_ctr_drbg_random, &random_);
    mbedtls_ssl_conf_max_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_handshake_timeout(&config_, 1000, 60000);
    std::string name = options_.at("cipher");
    std::ranges::replace(name, '_', '-');
    suites_[0] = mbedtls_ssl_get_ciphersuite_id(name.c_str());
    mbedtls_ssl_conf_ciphersuites(&config_, suites_.data());
    // The matrix is about the protocol, not about whom to trust.
    mbedtls_ssl_conf_authmode(&config_, options_.contains("verify") || !is_server_
                                            ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                            : MBEDTLS_SSL_VERIFY_NONE);
    if (options_.contains("psk")) {
      const Bytes psk = from_hex(options_.at("psk"));
      const std::string& identity = options_.at("psk_identity");
      check(mbedtls_ssl_conf_psk(&config_, psk.data(), psk.size(),
                                 reinterpret_cast<const unsigned char*>(identity.data()),
                                 identity.size()),
            "psk");
    }
    if (options_.contains("cert")) {
      check(mbedtls_x509_crt_parse_file(&certificate_, options_.at("cert").c_str()), "cert");
      check(mbedtls_pk_parse_keyfile(&key_, options_.at("key").c_str(), nullptr,
                                     mbedtls_ctr_drbg_random, &random_),
            "key");
      check(mbedtls_ssl_conf_own_cert(&config_, &certificate_, &key_), "own certificate");
    }
    if (is_server_) {
      check(mbedtls_ssl_cookie_setup(&cookies_, mbedtls_ctr_drbg_random, &random_), "cookies");
      mbedtls_ssl_conf_dtls_cookies(&config_, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
                                    &cookies_);
    }
    if (options_.contains("cid")) {
      own_id_.resize(std::stoul(options_.at("cid")));
      check(mbedtls_ctr_drbg_random(&random_, own_id_.data(), own_id_.size()), "connection ID");
      check(mbedtls_ssl_conf_cid(&config_, own_id_.size(), MBEDTLS_SSL_UNEXPECTED_CID_IGNORE),
            "connection IDs");
    }
  }

  void set_connection_id() {
    if (!options_.contains("cid")) return;
    check(mbedtls_ssl_set_cid(&ssl_, MBEDTLS_SSL_CID_ENABLED, own_id_.data(), own_id_.size()),
          "connection ID");
  }

  // Returns whether `descriptor` or the socket may have news.
  bool wait(int descriptor, int milliseconds) const {
    std::array<pollfd, 2> watched{pollfd{socket_.descriptor(), POLLIN, 0},
                                  pollfd{descriptor, POLLIN, 0}};
    ::poll(watched.data(), watched.size(), milliseconds);
    return watched[1].revents != 0;
  }

  // Before the first ClientHello, and again before the one with a cookie.
  void await_client() {
    if (!is_server_) return;
    const sockaddr_in client = socket_.next_sender();
    check(mbedtls_ssl_set_client_transport_id(
              &ssl_, reinterpret_cast<const unsigned char*>(&client), sizeof client),
          "client");
  }

  void handshake() {
    await_client();
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    for (int result = 1; result != 0;) {
      result = mbedtls_ssl_handshake(&ssl_);
      if (result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED) {
        check(mbedtls_ssl_session_reset(&ssl_), "reset");
        set_connection_id();
        await_client();
      } else if (result == MBEDTLS_ERR_SSL_WANT_READ) {
        if (Clock::now() > deadline) throw std::runtime_error("handshake timed out");
        wait(-1, kTick);
      } else {
        check(result, "handshake");
      }
    }
  }

  void tell() {
    std::array<unsigned char, MBEDTLS_SSL_CID_OUT_LEN_MAX> id{};
    std::size_t peers = 0;
    int used = MBEDTLS_SSL_CID_DISABLED;
    check(mbedtls_ssl_get_peer_cid(&ssl_, &used, id.data(), &peers), "peer's connection ID");
    if (used == MBEDTLS_SSL_CID_DISABLED) peers = 0;
    std::printf("connected, %s", mbedtls_ssl_get_ciphersuite(&ssl_));
    if (used == MBEDTLS_SSL_CID_ENABLED) {
      std::printf(", connection IDs of %zu bytes here and %zu there", own_id_.size(), peers);
    }
    std::printf("\n");
    if (options_.contains("verify")) {
      std::printf("certificates of the client: %d\n",
                  mbedtls_ssl_get_peer_cert(&ssl_) != nullptr ? 1 : 0);
    }
  }

  // Reads what has come; false at the end of the connection.
  template <class Use>
  bool read(const Use& use) {
    std::array<unsigned char, 16384> data{};
    while (true) {
      const int size = mbedtls_ssl_read(&ssl_, data.data(), data.size());
      if (size == MBEDTLS_ERR_SSL_WANT_READ || size == MBEDTLS_ERR_SSL_TIMEOUT) return true;
      if (size == 0 || size == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return false;
      use(data.data(), static_cast<std::size_t>(check(size, "read")));
    }
  }

  void echo() {
    const auto back = [this](const unsigned char* data, std::size_t size) {
      check(mbedtls_ssl_write(&ssl_, data, size), "write");
    };
    while (read(back)) wait(-1, -1);
  }

  void talk() {
    const auto print = [](const unsigned char* data, std::size_t size) {
      std::fwrite(data, 1, size, stdout);
    };
    std::array<unsigned char, 1000> line{};
    while (read(print)) {
      if (!wait(STDIN_FILENO, -1)) continue;
      const auto size = ::read(STDIN_FILENO, line.data(), line.size());
      if (size <= 0) return;
      check(mbedtls_ssl_write(&ssl_, line.data(), static_cast<std::size_t>(size)), "write");
    }
  }

  Options options_;
  bool is_server_ = false;
  Socket socket_;
  Bytes own_id_;
  std::array<int, 2> suites_{};
  mbedtls_entropy_context entropy_{};
  mbedtls_ctr_drbg_context random_{};
  mbedtls_timing_delay_context timer_{};
  mbedtls_ssl_cookie_ctx cookies_{};
  mbedtls_x509_crt certificate_{};
  mbedtls_pk_context key_{};
  mbedtls_ssl_config config_{};
  mbedtls_ssl_context ssl_{};
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::printf("%s\n", MBEDTLS_VERSION_STRING);
    return 0;
  }
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = std::string(argv[i]).substr(2);
    options[name] = name == "verify" || i + 1 == argc ? "" : argv[++i];
  }
  try {
    const bool is_server = options.contains("accept");
    Peer(std::move(options), is_server).run();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "mbedtls-peer: %s\n", failure.what());
    return 1;
  }
  return 0;
}
