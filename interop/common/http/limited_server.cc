#include "common/http/limited_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "common/http/deadline_stream.h"
#include "common/http/request_head.h"
#include "common/ip_address.h"

namespace sluice::interop {
namespace {

// For what a peer still sends behind a request that was refused.
constexpr std::chrono::seconds kDiscardTime{1};

void end_connection(socket_t socket) {
  shutdown(socket, SHUT_RDWR);
  close(socket);
}

// The library takes connections one after the other. What is done for each at once is short, and
// `threads` do the rest.
class AcceptQueue final : public httplib::TaskQueue {
 public:
  explicit AcceptQueue(std::size_t threads) : threads_(threads) {}

  [[nodiscard]] httplib::ThreadPool& threads() { return threads_; }
  void enqueue(std::function<void()> work) override { work(); }
  void shutdown() override { threads_.shutdown(); }

 private:
  httplib::ThreadPool threads_;
};

}  // namespace

std::optional<int> refusal_of_body(const httplib::Request& request) {
  // The library reads no body of other methods.
  const bool may_have_body = request.method == "POST" || request.method == "PUT" ||
                             request.method == "PATCH" || request.method == "DELETE";
  if (!may_have_body && request.has_header("Content-Length") &&
      request.get_header_value("Content-Length").find_first_not_of('0') != std::string::npos) {
    return 400;
  }
  if (request.has_header("Content-Encoding")) return 415;
  if (request.has_header("Transfer-Encoding")) return 411;
  return std::nullopt;
}

LimitedServer::LimitedServer(ConnectionLimits limits) : limits_(std::move(limits)) {
  new_task_queue = [this] {
    auto queue = std::make_unique<AcceptQueue>(limits_.threads);
    threads_ = &queue->threads();
    return queue.release();
  };
}

void LimitedServer::use_tls(TlsContext context) {
  const std::scoped_lock lock(mutex_);
  tls_ = std::move(context);
}

std::optional<TlsContext> LimitedServer::tls() {
  const std::scoped_lock lock(mutex_);
  return tls_;
}

void LimitedServer::adopt(int listening) {
  adopted_ = udp::Descriptor(listening);
  // The library would take EAGAIN for the end.
  fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) & ~O_NONBLOCK);
  svr_sock_ = listening;
}

void LimitedServer::keep() {
  adopted_ = udp::Descriptor(svr_sock_);
  // The library lets five connections wait; of those that come together, others would be delayed by
  // a second. A failure leaves it so.
  [[maybe_unused]] const int result = ::listen(adopted_.number(), SOMAXCONN);
}

void LimitedServer::end() {
  if (!adopted_.is_open()) return stop();
  svr_sock_ = INVALID_SOCKET;
  // The library's thread waits for a connection; after this one it sees that there is no socket.
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (getsockname(adopted_.number(), address, &size) != 0) return;
  const udp::Descriptor last(
      ::socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nothing is to be waited for, nor to be done about a failure.
  [[maybe_unused]] const int result = connect(last.number(), address, size);
}

bool LimitedServer::process_and_close_socket(socket_t socket) {
  const auto address = peer_of(socket).first;
  if (enter(address)) {
    threads_->enqueue([this, socket, address] {
      serve(socket);
      end_connection(socket);
      leave(address);
    });
  } else {
    end_connection(socket);
  }
  return true;
}

void LimitedServer::serve(socket_t socket) {
  const auto tls = this->tls();
  DeadlineStream stream(socket, tls ? &*tls : nullptr);
  const auto idle_until = [this] {
    return DeadlineStream::Clock::now() + std::chrono::seconds{keep_alive_timeout_sec_};
  };
  if (tls && !stream.wait_for_input(idle_until())) return;
  if (!stream.open(DeadlineStream::Clock::now() + limits_.request_time)) return;
  // A connection that was taken just before the end has an answer, too.
  for (auto left = keep_alive_max_count_;
       left > 0 && (left == keep_alive_max_count_ || svr_sock_ != INVALID_SOCKET); --left) {
    if (!stream.wait_for_input(idle_until()) || !serve_request(stream, left == 1)) break;
  }
  stream.close();
}

bool LimitedServer::serve_request(DeadlineStream& stream, bool is_last) {
  using Clock = DeadlineStream::Clock;
  const auto text = stream.read_head(Clock::now() + limits_.request_time, limits_.head_bytes);
  if (!text) return false;
  auto head = read_request_head(*text);
  const bool ends = !head || head->body > limits_.body_bytes;
  // The library refuses an empty line. It is given a body that it may take, and no byte behind it.
  if (!head) head = RequestHead{.text = "\r\n"};
  stream.begin_request(std::move(head->text), ends ? 0 : head->body);
  bool closed = false;
  // A head that can't be parsed does not say where the next one begins.
  bool is_refused = true;
  const bool answered = process_request(
      stream, is_last || ends, closed,
      [&](const httplib::Request& request) { is_refused = refusal_of_body(request).has_value(); });
  // What follows an unread body is no request.
  const bool is_whole = answered && !ends && !is_refused && stream.is_read();
  if (!is_whole) {
    stream.close();
    stream.discard_input(Clock::now() + kDiscardTime, limits_.head_bytes + limits_.body_bytes);
  }
  return is_whole && !closed;
}

bool LimitedServer::enter(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  if (all_ == limits_.in_all) return false;
  if (!is_exempt(address)) {
    auto& count = connections_[common::host_of(address)];
    if (count == limits_.per_address) return false;
    ++count;
  }
  ++all_;
  return true;
}

void LimitedServer::leave(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  --all_;
  if (is_exempt(address)) return;
  const auto found = connections_.find(common::host_of(address));
  if (--found->second == 0) connections_.erase(found);
}

bool LimitedServer::is_exempt(const std::string& address) const {
  return limits_.is_exempt && limits_.is_exempt(address);
}

}  // namespace sluice::interop
