#include <sluice/nice/nice_transport.h>

#include <utility>

#include "nice_transport_impl.h"
#include "tls_id.h"

namespace sluice::nice {

std::string_view to_string(SendStatus status) {
  switch (status) {
    case SendStatus::sent:
      return "sent";
    case SendStatus::not_connected:
      return "not_connected";
    case SendStatus::blocked:
      return "blocked";
    case SendStatus::refused:
      return "refused";
    case SendStatus::malformed:
      return "malformed";
    case SendStatus::repeated:
      return "repeated";
    case SendStatus::too_large:
      return "too_large";
    case SendStatus::too_many_ssrcs:
      return "too_many_ssrcs";
    case SendStatus::limit_reached:
      return "limit_reached";
    case SendStatus::failed:
      return "failed";
  }
  return "unknown";
}

TransportResult<NiceTransport> NiceTransport::make(const NiceTransportOptions& options,
                                                   dtls::Environment& environment,
                                                   _GMainContext* context,
                                                   NiceTransportListener& listener) {
  const auto invalid = [](const dtls::Error& error) {
    return tl::unexpected(TransportError{TransportErrc::invalid_options, error.detail});
  };
  if (auto good = check(options.ice); !good) return tl::unexpected(good.error());
  auto media = transport::MediaTransport::make(options.media, environment);
  if (!media) return invalid(media.error());
  const auto& identities = (*options.media.dtls)->identities;
  // The answerer's certificate must be the one whose fingerprint it has announced.
  if (identities.size() != 1) {
    return tl::unexpected(TransportError{TransportErrc::invalid_options, "identities: not one"});
  }
  auto fingerprint = dtls::Fingerprint::of(identities.front().certificate(),
                                           dtls::HashAlgorithm::sha256, environment);
  if (!fingerprint) return invalid(fingerprint.error());
  auto tls_id = random_tls_id(environment);
  if (!tls_id) return tl::unexpected(TransportError{TransportErrc::no_random_numbers});
  return NiceTransport(std::make_shared<Impl>(options, environment, *std::move(media),
                                              *std::move(fingerprint), *std::move(tls_id), context,
                                              listener));
}

NiceTransport::NiceTransport(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
NiceTransport::NiceTransport(NiceTransport&&) noexcept = default;

NiceTransport& NiceTransport::operator=(NiceTransport&& other) noexcept {
  if (this != &other) {
    if (impl_) impl_->shut_down();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

NiceTransport::~NiceTransport() {
  if (impl_) impl_->shut_down();
}

TransportResult<void> NiceTransport::gather() { return impl_->gather(); }
Description NiceTransport::local_description() const { return impl_->local_description(); }

TransportResult<void> NiceTransport::set_remote_offer(const Description& description) {
  return impl_->set_remote_description(description, Impl::DescriptionKind::offer);
}

TransportResult<void> NiceTransport::set_remote_answer(const Description& description) {
  return impl_->set_remote_description(description, Impl::DescriptionKind::answer);
}

CandidateStatus NiceTransport::add_remote_candidate(std::string_view line) {
  return impl_->add_remote_candidate(line);
}

void NiceTransport::end_of_remote_candidates() { impl_->end_of_remote_candidates(); }
TransportResult<void> NiceTransport::restart_ice() { return impl_->restart_ice(); }
void NiceTransport::close() { impl_->close(); }

SendStatus NiceTransport::send_rtp(Bytes packet) {
  return impl_->send_media(transport::MediaKind::rtp, packet);
}

SendStatus NiceTransport::send_rtcp(Bytes packet) {
  return impl_->send_media(transport::MediaKind::rtcp, packet);
}

SendStatus NiceTransport::send_data(Bytes data) { return impl_->send_data(data); }

bool NiceTransport::connected() const { return impl_->media().connected(); }
std::optional<dtls::ConnectionInfo> NiceTransport::info() const { return impl_->media().info(); }
srtp::Cryptex NiceTransport::cryptex() const { return impl_->media().cryptex(); }
IceStatistics NiceTransport::ice_statistics() const { return impl_->ice_statistics(); }

const transport::MediaTransportStatistics& NiceTransport::media_statistics() const {
  return impl_->media().statistics();
}

std::optional<dtls::Statistics> NiceTransport::dtls_statistics() const {
  return impl_->media().dtls_statistics();
}

srtp::Session* NiceTransport::srtp_session() { return impl_->media().srtp_session(); }

}  // namespace sluice::nice
