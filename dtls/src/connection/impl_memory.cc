// What a connection lets go of when it falls silent, and makes again.
#include "connection/impl.h"
#include "crypto/library.h"

namespace sluice::dtls {

Connection::Impl::Outputs& Connection::Impl::outputs() {
  if (outputs_ == nullptr) outputs_ = std::make_unique<Outputs>();
  return *outputs_;
}

void Connection::Impl::forget_what_is_done() {
  if (outputs_ != nullptr && outputs_->empty()) outputs_.reset();
  if (records_.is_cold() && in_use_ != nullptr && in_use_->data.empty()) in_use_.reset();
  Established13* complete = established13();
  if (complete == nullptr || complete->post_handshake == nullptr) return;
  if (const auto quiet = complete->post_handshake->quiet()) {
    complete->quiet = *quiet;
    complete->post_handshake.reset();
  }
}

connection::PostHandshake13& Connection::Impl::post_handshake(Established13& complete) {
  if (complete.post_handshake == nullptr) {
    complete.post_handshake = std::make_unique<connection::PostHandshake13>(
        complete.quiet, config_->options(), *library_, records_, role_);
  }
  return *complete.post_handshake;
}

Result<void> Connection::Impl::warm_up() {
  if (!records_.is_cold()) return {};
  const auto take = [&](auto made) {
    records_.warm_up(std::move(made.opener), std::move(made.sealer));
    library_->warm_list().try_out(in_use());
  };
  if (const Established12* complete = established12()) {
    const handshake::Session12& session = complete->session;
    return handshake::make_protection12(*library_, session.negotiated, session.master, role_)
        .map(take);
  }
  const Established13* complete = established13();
  if (complete == nullptr) return {};
  return handshake::make_protection13(*library_, complete->session, role_).map(take);
}

void Connection::Impl::stay_warm() {
  if (in_use_ != nullptr && library_->warm_list().is_newest(*in_use_)) return;
  // A record of an epoch before may be read in the cold.
  if (!is_open() || records_.is_cold()) return;
  library_->warm_list().use(in_use());
}

void Connection::Impl::cool() {
  records_.cool();
  if (in_use_->data.empty()) in_use_.reset();
}

Connection::Impl::InUse& Connection::Impl::in_use() {
  if (in_use_ == nullptr) in_use_ = std::make_unique<InUse>(*this);
  return *in_use_;
}

}  // namespace sluice::dtls
