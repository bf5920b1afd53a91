// DTLS in STUN: what checks and responses carry.
#include <algorithm>
#include <array>
#include <memory>

#include <sluice/stun/writer.h>

#include "impl.h"

namespace sluice::ice_lite {

void IceLiteServer::Impl::begin_in_stun(Session& session, std::size_t mtu) {
  session.in_stun = std::make_unique<DtlsInStun>(mtu);
  session.transport->set_path_mtu(std::min(mtu, kDtlsInStunMtu));
}

void IceLiteServer::Impl::collect_handshake(SlotNumber number) {
  Session& session = sessions_[number];
  if (!session.in_stun || session.in_stun->has_ended()) return;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, dtls::kMaxDatagram> out;
  while (const auto sent = session.transport->poll_transmit(out)) {
    session.in_stun->add(Bytes(out).first(sent->size), sent->path);
  }
  session.in_stun->end_flight();
}

void IceLiteServer::Impl::end_in_stun(SlotNumber number) {
  sessions_[number].in_stun->end();
  // It goes when nothing of it waits to be sent.
  queue(Output::transmit, number);
}

void IceLiteServer::Impl::answer_in_stun(const Check& check, SlotNumber tuple,
                                         const Arrival& arrival) {
  const stun::Message& request = check.message;
  const SlotNumber number = tuples_[tuple].session;
  Session& session = sessions_[number];
  if (!session.in_stun->on_check(request.dtls_in_stun, request.dtls_in_stun_ack)) {
    end_in_stun(number);
  } else if (request.dtls_in_stun && !request.dtls_in_stun->empty() && tuples_[tuple].told != 0) {
    const auto offset =
        static_cast<std::size_t>(request.dtls_in_stun->data() - arrival.datagram.data());
    const auto datagram = arrival.datagram.subspan(offset, request.dtls_in_stun->size());
    session.in_stun->on_received(datagram);
    session.is_rtt_settled = true;
    ++statistics_.dtls_in_stun_received;
    settle(number,
           session.transport->handle_datagram(datagram, tuples_[tuple].path.number, arrival.now));
  }
  if (session.has_ended) return;
  // A nomination may have ended a restart, which moves credentials.
  const auto* own = session.credentials_of(check.ufrag);
  if (own != nullptr) respond(request, *own, session, arrival);
}

void IceLiteServer::Impl::respond_in_stun(const stun::Message& request,
                                          const LocalCredentials& credentials, DtlsInStun& in_stun,
                                          const Arrival& arrival) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, kMaxDtlsInStunMessage + stun::kIntegritySize + stun::kFingerprintSize> out;
  stun::Writer writer(out, stun::MessageClass::success_response, request.method,
                      request.transaction);
  writer.xor_mapped_address(arrival.path.peer);
  writer.dtls_in_stun_ack(in_stun.received());
  const auto* const pending = in_stun.next();
  const std::size_t room = kMaxDtlsInStunMessage - writer.size() - stun::kAttributeHeaderSize;
  if (pending != nullptr && pending->datagram.size() <= room) {
    writer.dtls_in_stun(pending->datagram);
    ++statistics_.dtls_in_stun_sent;
  }
  Response response{.path = arrival.path};
  response.size = writer.finish(*environment_, credentials.key).value_or(0);
  response.with_dtls.assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(response.size));
  if (queue_response(arrival, response)) ++statistics_.checks;
}

std::optional<Transmit> IceLiteServer::Impl::poll_handshake(Session& session, MutableBytes out) {
  if (!session.in_stun) return std::nullopt;
  while (auto* const unsent = session.in_stun->first_unsent()) {
    if (unsent->datagram.size() > out.size()) return std::nullopt;
    unsent->is_unsent = false;
    const SlotNumber tuple = tuples_.find(unsent->path);
    if (tuple == kNoSlot) continue;
    std::ranges::copy(unsent->datagram, out.begin());
    return Transmit{.size = unsent->datagram.size(), .path = tuples_.path_of(tuple)};
  }
  if (session.in_stun->has_ended()) {
    session.transport->set_path_mtu(session.in_stun->mtu());
    session.in_stun.reset();
  }
  return std::nullopt;
}

}  // namespace sluice::ice_lite
