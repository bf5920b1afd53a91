#include <sluice/tcp/listener.h>

#include <utility>

#include "crypto/library.h"
#include "impl.h"
#include "table/host_counts.h"

namespace sluice::tcp {
namespace {

constexpr std::size_t kMostConnections = 1'000'000;
constexpr std::size_t kMostSendBuffer = std::size_t{1} << 30;

// The name of an option that is out of range; null: none is.
const char* out_of_range(const ListenerOptions& options) {
  if (options.max_connections == 0 || options.max_connections > kMostConnections) {
    return "max_connections";
  }
  if (options.ipv6_host_prefix > dtls::table::kIpv6Bits) return "ipv6_host_prefix";
  if (options.confirm_within <= dtls::Duration::zero()) return "confirm_within";
  if (options.idle_after <= dtls::Duration::zero()) return "idle_after";
  if (options.max_frame == 0 || options.max_frame > kMaxFrame) return "max_frame";
  if (options.max_queued < kMaxQueuedAtLeast) return "max_queued";
  if (options.send_buffer > kMostSendBuffer) return "send_buffer";
  if (options.backlog <= 0) return "backlog";
  return nullptr;
}

}  // namespace

tl::expected<std::unique_ptr<Listener::Impl>, std::string> Listener::Impl::make(
    dtls::Environment& environment, const ListenerOptions& options) {
  if (const char* name = out_of_range(options)) {
    return tl::unexpected(std::string(name) + ": out of range");
  }
  auto keyed = dtls::crypto::KeyedHash::make(environment.library());
  if (!keyed) return tl::unexpected(dtls::to_string(keyed.error()));
  return std::make_unique<Impl>(options, std::move(*keyed));
}

tl::expected<Listener, std::string> Listener::open(const dtls::SocketAddress& address,
                                                   dtls::Environment& environment,
                                                   const ListenerOptions& options) {
  auto impl = Impl::make(environment, options);
  if (!impl) return tl::unexpected(impl.error());
  if (auto opened = (*impl)->open(address); !opened) return tl::unexpected(opened.error());
  return Listener(*std::move(impl));
}

tl::expected<Listener, std::string> Listener::adopt(int descriptor, dtls::Environment& environment,
                                                    const ListenerOptions& options) {
  udp::Descriptor adopted(descriptor);
  auto impl = Impl::make(environment, options);
  if (!impl) return tl::unexpected(impl.error());
  if (auto done = (*impl)->listen(std::move(adopted)); !done) return tl::unexpected(done.error());
  return Listener(*std::move(impl));
}

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

int Listener::descriptor() const { return impl_->descriptor(); }
int Listener::listening() const { return impl_->listening(); }
dtls::UdpEndpoint Listener::own() const { return impl_->own(); }
std::span<const dtls::ReceivedDatagram> Listener::receive(dtls::Instant now) {
  return impl_->receive(now);
}
void Listener::confirm(const dtls::UdpPath& path, dtls::Instant now) { impl_->confirm(path, now); }
void Listener::send(dtls::Bytes datagram, const dtls::UdpPath& path) {
  impl_->send(datagram, path);
}
void Listener::flush() { impl_->flush(); }
void Listener::close(const dtls::UdpPath& path) { impl_->close(path); }
std::optional<Closed> Listener::poll_closed() { return impl_->poll_closed(); }
void Listener::handle_timeout(dtls::Instant now) { impl_->handle_timeout(now); }
std::optional<dtls::Instant> Listener::next_timeout() const { return impl_->next_timeout(); }
std::size_t Listener::size() const { return impl_->size(); }
std::size_t Listener::queued() const { return impl_->queued(); }
const ListenerStatistics& Listener::statistics() const { return impl_->statistics(); }

}  // namespace sluice::tcp
