#include <sluice/data_channel/association.h>

#include "association_impl.h"
#include "init_chunk.h"

namespace sluice::data_channel {
namespace {

// RFC 791: what every IPv4 host takes. usrsctp wants 512 bytes behind the common header.
constexpr std::size_t kSmallestMtu = 576;
constexpr std::size_t kSmallestBuffer = 65536;
constexpr std::size_t kLargestBuffer = std::size_t{16} << 20;

auto locked() { return SctpLibrary::instance().lock(); }

std::string_view bad_option(const Options& options) {
  const auto outside = [](std::size_t value, std::size_t low, std::size_t high) {
    return value < low || value > high;
  };
  if (options.local_port == 0) return "local_port";
  if (options.remote_port == 0) return "remote_port";
  if (outside(options.mtu, kSmallestMtu, 16384)) return "mtu";
  if (outside(options.max_message_size, 1, kLargestBuffer)) return "max_message_size";
  if (options.max_channels < 2) return "max_channels";
  if (outside(options.send_buffer, kSmallestBuffer, kLargestBuffer)) return "send_buffer";
  if (outside(options.receive_buffer, kSmallestBuffer, kLargestBuffer)) return "receive_buffer";
  return {};
}

}  // namespace

Result<Association> Association::make(const Options& options, dtls::Instant now) {
  if (const auto fault = bad_option(options); !fault.empty()) {
    return tl::unexpected(Error{.code = Errc::invalid_options, .detail = fault});
  }
  const auto lock = locked();
  auto impl = std::make_unique<Impl>(options, now);
  SctpLibrary::instance().advance(now);
  if (auto begun = impl->begin(); !begun) return tl::unexpected(begun.error());
  return Association(std::move(impl));
}

Association::Association(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Association::Association(Association&&) noexcept = default;

Association& Association::operator=(Association&& other) noexcept {
  if (this != &other) {
    const auto lock = locked();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Association::~Association() {
  if (!impl_) return;
  const auto lock = locked();
  impl_.reset();
}

void Association::handle_packet(dtls::Bytes packet, dtls::Instant now) {
  const auto lock = locked();
  impl_->handle_packet(packet, now);
}
void Association::handle_timeout(dtls::Instant now) {
  const auto lock = locked();
  impl_->handle_timeout(now);
}
Result<ChannelId> Association::open(const ChannelOptions& options, dtls::Instant now) {
  const auto lock = locked();
  return impl_->open(options, now);
}
Result<void> Association::open_negotiated(ChannelId id, const ChannelOptions& options,
                                          dtls::Instant now) {
  const auto lock = locked();
  return impl_->open_negotiated(id, options, now);
}
Result<void> Association::send(ChannelId id, MessageType type, dtls::Bytes data,
                               dtls::Instant now) {
  const auto lock = locked();
  return impl_->send(id, type, data, now);
}
Result<void> Association::close_channel(ChannelId id, dtls::Instant now) {
  const auto lock = locked();
  return impl_->close_channel(id, now);
}
void Association::close(dtls::Instant now) {
  const auto lock = locked();
  impl_->close(now);
}

void Association::set_role(dtls::Role role) { impl_->set_role(role); }
void Association::set_peer_max_message_size(std::uint64_t bytes) {
  impl_->set_peer_max_message_size(bytes);
}

dtls::Bytes Association::local_init() const { return impl_->local_init(); }
Result<void> Association::start(const std::optional<dtls::Bytes>& peer_init, dtls::Instant now) {
  const auto lock = locked();
  return impl_->start(peer_init, now);
}

std::optional<Event> Association::poll_event() {
  const auto lock = locked();
  return impl_->poll_event();
}
std::optional<dtls::Bytes> Association::poll_transmit() {
  const auto lock = locked();
  return impl_->poll_transmit();
}
std::optional<dtls::Instant> Association::next_timeout() const {
  const auto lock = locked();
  return impl_->next_timeout();
}

bool Association::established() const { return impl_->established(); }
bool Association::closed() const { return impl_->closed(); }
std::size_t Association::buffered_amount(ChannelId id) const { return impl_->buffered_amount(id); }
void Association::set_buffered_amount_low_threshold(ChannelId id, std::size_t bytes) {
  impl_->set_low_threshold(id, bytes);
}
Statistics Association::statistics() const {
  const auto lock = locked();
  return impl_->statistics();
}

}  // namespace sluice::data_channel
